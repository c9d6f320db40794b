/** For a child to import when its parent has not. */
export const greeting = "Good morning, good night";
