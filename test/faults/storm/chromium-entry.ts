/** What a page needs to play the client of a course. */

import { type Course, type CourseReport, runCourse } from './course.js';

declare global {
  var playCourse: (course: Course) => Promise<CourseReport>;
}

globalThis.playCourse = (course) => runCourse(course);
