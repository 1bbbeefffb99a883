import os
import sys

print("Python", sys.version.split()[0], "writes bytecode:", os.environ.get("PYTHONDONTWRITEBYTECODE") != "1")
