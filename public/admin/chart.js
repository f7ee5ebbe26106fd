/** Charts of 7 days, drawn by hand as SVG. Colours come from the style sheet, by the number of the series. */
import { h, svg } from "/dom.js";
import { number, shortNumber } from "/ui/format.js";

const WIDTH = 480;
const HEIGHT = 210;
const BOX = { left: 40, top: 14, bottom: 28 };
/** Room on the right, without and with an axis there. */
const RIGHT = { bare: 12, axis: 40 };
const STEPS = 2;

/** The least round number that is no less than `value`, and that two steps divide evenly. */
function niceTop(value) {
  if (value <= STEPS) return STEPS;
  const power = 10 ** Math.floor(Math.log10(value));
  const top = [1, 2, 4, 6, 8, 10].map((factor) => factor * power).find((candidate) => candidate >= value);
  return top % STEPS === 0 ? top : Math.ceil(top / STEPS) * STEPS;
}

const shortDay = (date) =>
  new Date(`${date}T00:00:00Z`).toLocaleDateString(undefined, { weekday: "short", day: "numeric", timeZone: "UTC" });

/**
 * A card with a chart.
 * @param {{title: string, days: any[], stacked?: boolean,
 *   series: {key: string, label: string, kind?: "bar" | "line", axis?: "left" | "right"}[]}} what
 */
export function chart({ title, days, series, stacked = false }) {
  const total = (key) => days.reduce((sum, day) => sum + day[key], 0);
  const legend = series.map(({ key, label }, at) =>
    h("li", { class: `series-${at}` }, label, " ", h("b", {}, number(total(key)))),
  );
  return h(
    "section",
    { class: "card chart" },
    h("h2", {}, title),
    h("ul", { class: "legend", "aria-label": "In 7 days" }, ...legend),
    drawing({ title, days, series, stacked }),
  );
}

function drawing({ title, days, series, stacked }) {
  const spoken = days.map((day) => `${day.date}: ${series.map(({ key, label }) => `${label} ${day[key]}`).join(", ")}`);
  const root = svg("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    role: "img",
    "aria-label": `${title}. ${spoken.join("; ")}`,
  });
  const tops = { left: topOf("left"), right: topOf("right") };
  const hasRight = series.some((one) => one.axis === "right");
  const right = WIDTH - (hasRight ? RIGHT.axis : RIGHT.bare);
  const bottom = HEIGHT - BOX.bottom;
  const slot = (right - BOX.left) / days.length;
  const y = (value, axis = "left") => bottom - (value / tops[axis]) * (bottom - BOX.top);
  const middle = (at) => BOX.left + slot * (at + 0.5);

  function topOf(axis) {
    const mine = series.filter((one) => (one.axis ?? "left") === axis);
    const values = days.map((day) =>
      stacked ? mine.reduce((sum, one) => sum + day[one.key], 0) : Math.max(0, ...mine.map((one) => day[one.key])),
    );
    return niceTop(Math.max(...values));
  }

  for (let step = 0; step <= STEPS; step += 1) {
    const at = bottom - (step / STEPS) * (bottom - BOX.top);
    root.append(svg("line", { class: "grid", x1: BOX.left, x2: right, y1: at, y2: at }));
    root.append(axisLabel(BOX.left - 6, at, "end", (tops.left * step) / STEPS));
    if (hasRight) {
      root.append(axisLabel(right + 6, at, "start", (tops.right * step) / STEPS));
    }
  }

  const bars = series.filter((one) => one.kind !== "line");
  const width = Math.min(26, (slot * 0.7) / (stacked ? 1 : bars.length));
  days.forEach((day, at) => {
    const group = svg("g", { class: "day" });
    group.append(svg("title", {}, spoken[at]));
    group.append(
      svg("rect", { class: "hover", x: middle(at) - slot / 2, y: BOX.top, width: slot, height: bottom - BOX.top }),
    );
    let base = 0;
    bars.forEach((one, nth) => {
      const left = stacked ? middle(at) - width / 2 : middle(at) + (nth - bars.length / 2) * width + 1;
      const from = stacked ? base : 0;
      base += day[one.key];
      if (day[one.key] === 0) return;
      const top = y(from + day[one.key], one.axis);
      const height = Math.max(1.5, y(from, one.axis) - top);
      group.append(
        svg("rect", {
          class: `column series-${series.indexOf(one)}`,
          x: left,
          y: top,
          width: stacked ? width : width - 2,
          height,
          rx: 2,
        }),
      );
    });
    group.append(
      svg("text", { class: "axis", x: middle(at), y: HEIGHT - 9, "text-anchor": "middle" }, shortDay(day.date)),
    );
    root.append(group);
  });

  for (const one of series.filter(({ kind }) => kind === "line")) {
    const nth = series.indexOf(one);
    const points = days.map((day, at) => [middle(at), y(day[one.key], one.axis)]);
    root.append(
      svg("polyline", { class: `line series-${nth}`, points: points.map((point) => point.join(",")).join(" ") }),
    );
    for (const [cx, cy] of points) root.append(svg("circle", { class: `dot series-${nth}`, cx, cy, r: 3 }));
  }
  return root;
}

const axisLabel = (x, at, anchor, value) =>
  svg("text", { class: "axis", x, y: at + 4, "text-anchor": anchor }, shortNumber(value));
