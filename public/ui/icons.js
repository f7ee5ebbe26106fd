/** Pictures of buttons, drawn in the colour of their text. `icon("mic")` */
import { svg } from "/dom.js";

/** Lines in a box of 24 by 24. */
const SHAPES = {
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "m6 6 12 12M18 6 6 18",
  contrast: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z",
  mic: "M9 6a3 3 0 0 1 6 0v5a3 3 0 0 1-6 0zM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3",
  "mic-off":
    "M9 9V6a3 3 0 0 1 6 0v5m-.6 2.3A3 3 0 0 1 9 12M5.5 11.5a6.5 6.5 0 0 0 10.6 5M18.2 13.5c.2-.6.3-1.3.3-2M12 18v3M4 4l16 16",
  camera:
    "M5.5 6.5h7A2.5 2.5 0 0 1 15 9v6a2.5 2.5 0 0 1-2.5 2.5h-7A2.5 2.5 0 0 1 3 15V9a2.5 2.5 0 0 1 2.5-2.5zM15 11l6-3.5v9L15 13",
  "camera-off":
    "M9 6.5h3.5A2.5 2.5 0 0 1 15 9v2l6-3.5v9M15 15.5a2.5 2.5 0 0 1-2.5 2h-7A2.5 2.5 0 0 1 3 15V9a2.5 2.5 0 0 1 2-2.400M4 4l16 16",
  screen:
    "M5 4.5h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-8a2 2 0 0 1 2-2zM8 20h8M12 13.5V8m0 0L9.5 10.5M12 8l2.5 2.5",
  hand: "M8 12V6a1.5 1.5 0 0 1 3 0v5V4.5a1.5 1.5 0 0 1 3 0V11V6a1.5 1.5 0 0 1 3 0v8.5a6 6 0 0 1-6 6c-3 0-4.3-1.3-5.6-3.700L3.6 13.600c-.9-1.6 1-2.9 2.2-1.600L8 14",
  people:
    "M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM2.5 19.5a6.5 6.5 0 0 1 13 0M15.5 5.300a3.5 3.5 0 0 1 0 6.400M18 13.800a6.5 6.5 0 0 1 3.5 5.7",
  leave:
    "M3 14.5c0-6 18-6 18 0v1a1.5 1.5 0 0 1-1.7 1.5l-3-.500a1.5 1.5 0 0 1-1.3-1.5v-1.700a12 12 0 0 0-6 0V15a1.5 1.5 0 0 1-1.3 1.5l-3 .500A1.5 1.5 0 0 1 3 15.5z",
  link: "M10 14a4 4 0 0 0 6 .400l3-3a4 4 0 0 0-5.7-5.700L12 7M14 10a4 4 0 0 0-6-.400l-3 3a4 4 0 0 0 5.7 5.700L12 17",
};

/** What is filled, where lines are not enough. */
const FILLED = { contrast: "M12 3.5v17a8.5 8.5 0 0 0 0-17z" };

/** @param {keyof typeof SHAPES} name */
export const icon = (name) =>
  svg(
    "svg",
    {
      viewBox: "0 0 24 24",
      width: 22,
      height: 22,
      fill: "none",
      stroke: "currentColor",
      "stroke-width": 1.8,
      "stroke-linecap": "round",
      "stroke-linejoin": "round",
      "aria-hidden": "true",
    },
    svg("path", { d: SHAPES[name] }),
    FILLED[name] && svg("path", { d: FILLED[name], fill: "currentColor" }),
  );
