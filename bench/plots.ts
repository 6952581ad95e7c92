import { init } from 'echarts'
import { type Curve, type Row, reachOf } from './results.ts'

const font = 'system-ui, sans-serif'
const text = { fontFamily: font, color: '#333' }
const [good, bad] = ['#2f7d5b', '#b4552d']

const draw = (width: number, height: number, option: Parameters<ReturnType<typeof init>['setOption']>[0]): string => {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height })
  chart.setOption({ animation: false, backgroundColor: '#fff', textStyle: text, ...option })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return svg
}

/** A bar for each row that has a mark: how many times the mark it reaches. */
export const marksPlot = (rows: readonly Row[]): string => {
  const marked = rows.filter((row) => reachOf(row) !== null).toReversed()
  return draw(900, 90 + 26 * marked.length, {
    title: { text: 'Times the mark (1 = just reached)', textStyle: { ...text, fontSize: 14 } },
    grid: { left: 330, right: 60, top: 40, bottom: 30 },
    xAxis: { type: 'log', min: 0.1 },
    yAxis: { type: 'category', data: marked.map(({ row }) => row), axisLabel: { width: 310, overflow: 'truncate' } },
    series: [
      {
        type: 'bar',
        barWidth: 14,
        label: { show: true, position: 'right', formatter: '{c}' },
        data: marked.map((row) => {
          const reach = Number((reachOf(row) ?? 0).toPrecision(3))
          return { value: reach, itemStyle: { color: reach >= 1 ? good : bad } }
        }),
        markLine: { symbol: 'none', label: { show: false }, lineStyle: { color: '#333' }, data: [{ xAxis: 1 }] },
      },
    ],
  })
}

/** Curves of one unit, both axes logarithmic: flat is a cost that does not grow. */
export const growthPlot = (curves: readonly Curve[]): string =>
  draw(900, 460, {
    title: { text: `Cost by records held, ${curves[0]?.unit ?? ''}`, textStyle: { ...text, fontSize: 14 } },
    legend: { type: 'plain', orient: 'vertical', right: 10, top: 40, textStyle: text },
    grid: { left: 70, right: 260, top: 40, bottom: 40 },
    xAxis: { type: 'log', name: 'records', nameLocation: 'middle', nameGap: 26 },
    yAxis: { type: 'log' },
    series: curves.map(({ curve, points }) => ({
      type: 'line',
      name: curve,
      symbolSize: 6,
      data: points.map(({ records, value }) => [records, value]),
    })),
  })
