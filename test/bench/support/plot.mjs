const [width, height, margin] = [640, 360, 60];
const colors = ['#3b6fd4', '#c4572b', '#2e8b57', '#8a4fb8', '#a07d12'];

/**
 * Lines of value over size, both logarithmic, as an SVG.
 * @param {string} title
 * @param {[string, { size: number, value: number, unit: string }[]][]} series
 */
export function plot(title, series) {
  const points = series.flatMap(([, rows]) => rows);
  const x = scale(
    points.map(({ size }) => size),
    margin,
    width - margin,
  );
  const y = scale(
    points.map(({ value }) => value),
    height - margin,
    margin,
  );
  const lines = series.map(([what, rows], at) => {
    const color = colors[at % colors.length];
    const path = rows.map(({ size, value }) => `${x(size).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
    const dots = rows.map(
      ({ size, value, unit }) =>
        `<circle cx="${x(size).toFixed(1)}" cy="${y(value).toFixed(1)}" r="3" fill="${color}"><title>${escapeXml(`${what}: ${value.toPrecision(3)} ${unit} at ${size}`)}</title></circle>`,
    );
    const legend = `<text x="${margin}" y="${20 + at * 15}" fill="${color}">${escapeXml(`${what} (${rows[0].unit})`)}</text>`;
    return `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"/>${dots.join('')}${legend}`;
  });
  const sizes = [...new Set(points.map(({ size }) => size))].map(
    (size) =>
      `<text x="${x(size).toFixed(1)}" y="${height - margin + 20}" text-anchor="middle">${size}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">
<title>${escapeXml(title)}</title><rect width="100%" height="100%" fill="white"/>
<path d="M${margin} ${margin}V${height - margin}H${width - margin}" fill="none" stroke="#888"/>
${sizes.join('\n')}
${lines.join('\n')}
</svg>
`;
}

function scale(values, from, to) {
  const logs = values.map((value) => Math.log(Math.max(value, Number.EPSILON)));
  const [low, high] = [Math.min(...logs), Math.max(...logs)];
  const span = high - low || 1;
  return (value) => from + ((Math.log(Math.max(value, Number.EPSILON)) - low) / span) * (to - from);
}

function escapeXml(text) {
  return text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);
}
