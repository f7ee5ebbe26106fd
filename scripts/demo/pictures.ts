/** Pictures and papers of the demo world, made here: nothing of anybody's has to be shipped. */

/** Degrees of the colour circle for a name: the same name, the same colour. */
const hueOf = (name: string): number => [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 360, 7);

const initialsOf = (fullName: string): string =>
  fullName
    .split(" ")
    .map(([first = ""]) => first)
    .join("");

const svg = (width: number, height: number, body: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${body}</svg>`;

const gradient = (from: string, to: string): string =>
  `<defs><linearGradient id="g" x1="0" y1="0" x2="0.6" y2="1"><stop stop-color="${from}"/><stop offset="1" stop-color="${to}"/></linearGradient></defs>`;

/** A face: initials on a colour of one's own. */
export function avatar({ username, fullName }: { username: string; fullName: string }): string {
  const hue = hueOf(username);
  const ground = `${gradient(`hsl(${hue} 70% 62%)`, `hsl(${(hue + 50) % 360} 65% 42%)`)}<rect width="128" height="128" fill="url(#g)"/>`;
  const text = `<text x="64" y="64" dy="0.36em" fill="#fff" font-family="sans-serif" font-size="52" font-weight="600" text-anchor="middle">${initialsOf(fullName)}</text>`;
  return svg(128, 128, ground + text);
}

/** A landscape of hills under a sun, other for each title. */
export function landscape(title: string, width = 360, height = 640): string {
  const hue = hueOf(title);
  const sky = `${gradient(`hsl(${hue} 75% 78%)`, `hsl(${(hue + 40) % 360} 70% 55%)`)}<rect width="${width}" height="${height}" fill="url(#g)"/>`;
  const sun = `<circle cx="${width * (0.25 + (hue % 50) / 100)}" cy="${height * 0.3}" r="${width * 0.12}" fill="hsl(${(hue + 30) % 360} 90% 92%)"/>`;
  const hills = [0.55, 0.68, 0.8].map((top, at) => {
    const [left, middle, right] = [top + 0.08, top - 0.07, top + 0.05].map((part) => part * height);
    const line = `M0 ${left} Q${width * (0.3 + at * 0.15)} ${middle} ${width} ${right} V${height} H0 Z`;
    return `<path d="${line}" fill="hsl(${(hue + 180 + at * 15) % 360} 35% ${42 - at * 10}%)"/>`;
  });
  return svg(width, height, sky + sun + hills.join(""));
}

/** A page of text as PDF. ASCII alone, as the format's own fonts know it. */
export function handout(title: string, lines: string[]): string {
  const escaped = (text: string) => text.replace(/[\\()]/g, "\\$&");
  const text = [`/F 20 Tf 60 760 Td (${escaped(title)}) Tj`, "/F 12 Tf 0 -14 Td"]
    .concat(lines.map((line) => `0 -18 Td (${escaped(line)}) Tj`))
    .join("\n");
  const content = `BT\n${text}\nET`;
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>",
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
  ];
  let file = "%PDF-1.4\n";
  const offsets = objects.map((object, at) => {
    const offset = file.length;
    file += `${at + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(offset).padStart(10, "0")} 00000 n \n`;
  });
  const table = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.join("")}`;
  return `${file}${table}trailer << /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${file.length}\n%%EOF\n`;
}
