/** Drawings, as path data. Ours. */

export const SPEAK = "M4 9.5v5h3.5L12 19V5L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11";
export const STOP = "M7 7h10v10H7z";
export const MICROPHONE = "M12 3.5a3 3 0 0 1 3 3V12a3 3 0 0 1-6 0V6.5a3 3 0 0 1 3-3zM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3";
export const RECORD = "M12 6.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11z";

/** Faces of eight moods, 32 a side: brows, eyes, mouth. */
export const MOODS = {
  neutral: "M9 11.5h4M19 11.5h4M11 15v.5M21 15v.5M12 22h8",
  happy: "M9 11q2-1.5 4 0M19 11q2-1.5 4 0M10 15.5q1-1 2 0M20 15.5q1-1 2 0M11 20q5 5.5 10 0",
  sad: "M9 12.5q2.5-.5 4-2.500M19 10q1.500 2 4 2.500M11 16v.5M21 16v.5M12 23.500q4-3.500 8 0",
  angry: "M9 10l4 2.500M23 10l-4 2.500M11 15.500v.5M21 15.500v.5M12 22.500q4-2 8 0",
  surprised: "M9 9q2-2 4 0M19 9q2-2 4 0M11 14v1M21 14v1M16 19.500a2 2.500 0 1 0 0 5a2 2.500 0 1 0 0-5z",
  afraid: "M9 11q2.500-.500 4-2.500M19 8.500q1.500 2 4 2.500M11 14.500v1M21 14.500v1M11 23q1.250-2 2.500 0t2.500 0t2.500 0t2.500 0",
  disgusted: "M9 11l4 1M23 10l-4 2M10 15.500h2M20 15.500h2M11 22q2.500-2.500 5-.500t5-1",
  contempt: "M9 12h4M19 11q2-1.500 4 0M11 15.500v.5M21 15.500v.5M12 22.500q5 0 8-2.500",
};
