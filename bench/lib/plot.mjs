// A plot of lines over time, as SVG: panels above each other, each with its own axis.
const width = 860
const panelHeight = 190
const gap = 74
const left = 70
const right = 24
const top = 84
const palette = ['#1d4ed8', '#c2410c', '#64748b']

/**
 * A line has a value for each second, from 0 on; NaN leaves a hole. A limit is a level
 * across the panel.
 *
 * @param {string} title
 * @param {{title: string, limit?: {name: string, value: number}, lines: {name: string, values: readonly number[]}[]}[]} panels
 */
export function plotSvg(title, panels) {
  const height = top + panels.length * (panelHeight + gap)
  const seconds = Math.max(...panels.flatMap(({lines}) => lines.map(({values}) => values.length - 1)), 1)
  const xOf = (second) => left + (second / seconds) * (width - left - right)
  const body = panels.map((panel, index) =>
    drawPanel(panel, top + index * (panelHeight + gap), {seconds, xOf}),
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="${left}" y="26" font-size="16" font-weight="600" fill="#0f172a">${escaped(title)}</text>
${body.join('\n')}
</svg>
`
}

function drawPanel({title, limit, lines}, y) {
  const seconds = Math.max(...lines.map(({values}) => values.length - 1), 1)
  const xOf = (second) => left + (second / seconds) * (width - left - right)
  const largest = Math.max(...lines.flatMap(({values}) => values.filter(Number.isFinite)), limit?.value ?? 0)
  const step = niceStep(largest / 4)
  const ceiling = Math.ceil((largest * 1.02) / step) * step
  const yOf = (value) => y + panelHeight - (value / ceiling) * panelHeight
  const parts = [`<text x="${left}" y="${y - 26}" font-weight="600" fill="#0f172a">${escaped(title)}</text>`]
  for (let value = 0; value <= ceiling; value += step) {
    parts.push(
      `<line x1="${left}" x2="${width - right}" y1="${yOf(value)}" y2="${yOf(value)}" stroke="#e2e8f0"/>`,
      `<text x="${left - 8}" y="${yOf(value) + 4}" text-anchor="end" fill="#475569">${value.toLocaleString('en-US')}</text>`,
    )
  }
  const secondsStep = niceStep(seconds / 10)
  for (let second = 0; second <= seconds; second += secondsStep)
    parts.push(
      `<text x="${xOf(second)}" y="${y + panelHeight + 18}" text-anchor="middle" fill="#475569">${second} s</text>`,
    )
  let nameAt = left
  const name = (text, color, dashes = '') => {
    parts.push(
      `<line x1="${nameAt}" x2="${nameAt + 18}" y1="${y - 12}" y2="${y - 12}" stroke="${color}" stroke-width="2"${dashes}/>`,
      `<text x="${nameAt + 24}" y="${y - 8}" fill="#334155">${escaped(text)}</text>`,
    )
    nameAt += 44 + text.length * 7
  }
  lines.forEach(({name: text, values}, index) => {
    const color = palette[index % palette.length]
    const path = values
      .map((value, second) =>
        Number.isFinite(value)
          ? `${Number.isFinite(values[second - 1]) ? 'L' : 'M'}${xOf(second).toFixed(1)} ${yOf(value).toFixed(1)}`
          : '',
      )
      .join('')
    parts.push(`<path d="${path}" fill="none" stroke="${color}" stroke-width="2" stroke-linejoin="round"/>`)
    name(text, color)
  })
  if (limit !== undefined) {
    const dashes = ' stroke-dasharray="5 4"'
    parts.push(
      `<line x1="${left}" x2="${width - right}" y1="${yOf(limit.value)}" y2="${yOf(limit.value)}" stroke="#0f172a"${dashes}/>`,
    )
    name(limit.name, '#0f172a', dashes)
  }
  return parts.join('\n')
}

/** 1, 2 or 5 times a power of ten. */
function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1e-9)))
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least)
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
