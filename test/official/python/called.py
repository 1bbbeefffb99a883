"""Notes which methods of a class are called, while they work as before."""

import functools
import inspect


class Called:
    def __init__(self):
        self.all = set()
        self.called = set()

    def watch(self, label, cls):
        for name in dir(cls):
            if name.startswith("_"):
                continue
            found = inspect.getattr_static(cls, name)
            if isinstance(found, (staticmethod, classmethod)):
                wrapped = type(found)(self._noting(f"{label}.{name}", found.__func__))
            elif inspect.isfunction(found):
                wrapped = self._noting(f"{label}.{name}", found)
            elif callable(found) and hasattr(found, "__get__"):
                # e2b's own descriptor: one name for the static and for the instance's form.
                wrapped = _NotingDescriptor(found, functools.partial(self.called.add, f"{label}.{name}"))
            else:
                continue
            self.all.add(f"{label}.{name}")
            setattr(cls, name, wrapped)

    def missed(self):
        return sorted(self.all - self.called)

    def _noting(self, full, function):
        @functools.wraps(function)
        def noting(*args, **kwargs):
            self.called.add(full)
            return function(*args, **kwargs)

        return noting


class _NotingDescriptor:
    def __init__(self, inner, note):
        self._inner = inner
        self._note = note

    def __get__(self, instance, owner=None):
        self._note()
        return self._inner.__get__(instance, owner)
