/**
 * A chart of days, drawn by uPlot on a canvas, with the same figures in a table below it for who cannot see the canvas or wants
 * them exactly. Colours come from the style sheet, by the number of the series.
 */
import { h } from "/dom.js";
import { number, shortNumber } from "/ui/format.js";
import uPlot from "/uplot/uplot.js";

const HEIGHT = 210;
const AXIS = { font: "12px system-ui", ticks: { show: false } };
/** Whole numbers alone: half a user is none. */
const STEPS = Array.from({ length: 13 }, (_, power) => [1, 2, 5].map((factor) => factor * 10 ** power)).flat();
const LEAST_TOP = 2;
/** Pixels. */
const AXIS_WIDTH = 44;
const LABEL_WIDTH = 48;

const shortDay = (date) =>
  new Date(`${date}T00:00:00Z`).toLocaleDateString(undefined, { weekday: "short", day: "numeric", timeZone: "UTC" });

/** The days whose names have room, the last one always. */
function labelled(days, width) {
  const every = Math.ceil((days.length * LABEL_WIDTH) / (width - 2 * AXIS_WIDTH));
  return days.map((_, at) => at).filter((at) => (days.length - 1 - at) % every === 0);
}

/** Canvases know no variables of a style sheet: what an element looks like says the colour, in light and in dark. */
const colourOf = (element, property) => () => getComputedStyle(element)[property];

/** Charts are drawn anew when the colours change. */
const drawn = new Set();
const redraw = () => {
  for (const plot of drawn) plot.redraw(false);
};
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });

/**
 * A card with a chart that is empty until `show(days)`; each day has a `date` and a number for each key.
 * @param {{title: string, series: {key: string, label: string, kind?: "bar" | "line", axis?: "left" | "right"}[]}} what
 */
export function chart({ title, series }) {
  const totals = series.map(() => h("b", {}));
  const swatches = series.map((_, at) => h("i", { class: `series-${at}` }));
  const legend = h(
    "ul",
    { class: "legend" },
    ...series.map(({ label }, at) => h("li", {}, swatches[at], label, " ", totals[at])),
  );
  const span = h("span", { class: "muted" });
  const drawing = h("div", {
    class: "drawing",
    role: "img",
    "aria-label": `${title}, drawn. The figures are in the table.`,
  });
  const body = h("tbody", {});
  const headings = ["Day", ...series.map(({ label }) => label)].map((text) => h("th", { scope: "col" }, text));
  const table = h("table", {}, h("thead", {}, h("tr", {}, ...headings)), body);
  const node = h(
    "section",
    { class: "card chart" },
    h("div", { class: "chart-head" }, h("h2", {}, title), span),
    legend,
    drawing,
    h("details", {}, h("summary", {}, "Figures by day"), h("div", { class: "scroll" }, table)),
  );
  let days = [];
  let plot = null;

  /** In the legend: one day's numbers, or those of all days. */
  function tell(at) {
    const chosen = at === null || at === undefined ? days : days.slice(at, at + 1);
    span.textContent = chosen === days ? "in 7 days" : shortDay(chosen[0].date);
    for (const [nth, { key }] of series.entries()) {
      totals[nth].textContent = number(chosen.reduce((sum, day) => sum + day[key], 0));
    }
  }

  const data = () => [days.map((_, at) => at), ...series.map(({ key }) => days.map((day) => day[key]))];

  function resize([{ contentRect }]) {
    if (!node.isConnected) {
      observer.disconnect();
      drawn.delete(plot);
      plot?.destroy();
      return;
    }
    drawAt(Math.floor(contentRect.width));
  }

  /** Made when there is something to draw, and a place to draw it. */
  function drawAt(width) {
    if (width === 0 || days.length === 0) return;
    if (plot) return plot.setSize({ width, height: HEIGHT });
    plot = new uPlot({ ...options(), width, height: HEIGHT }, data(), drawing);
    drawn.add(plot);
  }

  function options() {
    const text = colourOf(legend, "color");
    const line = colourOf(node, "borderTopColor");
    const upTo = (_plot, _min, max) => [0, Math.max(LEAST_TOP, (max ?? 0) * 1.08)];
    const axis = {
      ...AXIS,
      stroke: text,
      incrs: STEPS,
      size: AXIS_WIDTH,
      values: (_plot, values) => values.map(shortNumber),
    };
    const hasRight = series.some((one) => one.axis === "right");
    return {
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false } },
      hooks: { setCursor: [({ cursor }) => tell(cursor.idx)] },
      scales: {
        x: { time: false, range: () => [-0.5, days.length - 0.5] },
        y: { range: upTo },
        ...(hasRight ? { right: { range: upTo } } : {}),
      },
      axes: [
        {
          ...AXIS,
          stroke: text,
          grid: { show: false },
          size: 30,
          splits: ({ width }) => labelled(days, width),
          values: (_plot, at) => at.map((nth) => shortDay(days[nth].date)),
        },
        { ...axis, grid: { stroke: line, width: 1 } },
        ...(hasRight ? [{ ...axis, scale: "right", side: 1, grid: { show: false } }] : []),
      ],
      series: [{}, ...series.map(seriesOptions)],
    };
  }

  function seriesOptions({ kind = "line", axis }, at) {
    const stroke = colourOf(swatches[at], "backgroundColor");
    const scale = axis === "right" ? "right" : "y";
    if (kind === "bar") {
      return { scale, stroke, fill: stroke, paths: uPlot.paths.bars({ size: [0.5, 28] }), points: { show: false } };
    }
    return { scale, stroke, width: 2.5, points: { show: true, size: 7, fill: stroke } };
  }

  const observer = new ResizeObserver(resize);
  observer.observe(drawing);

  return {
    node,
    show(next) {
      days = next;
      tell(null);
      body.replaceChildren(
        ...days.map((day) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, shortDay(day.date)),
            ...series.map(({ key }) => h("td", {}, number(day[key]))),
          ),
        ),
      );
      if (plot) plot.setData(data());
      else drawAt(drawing.clientWidth);
    },
  };
}
