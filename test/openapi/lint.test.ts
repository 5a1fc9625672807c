import { expect, test } from 'bun:test'

const root = `${import.meta.dir}/../..`

interface Report {
  totals: { errors: number; warnings: number; ignored: number }
  problems: { ruleId: string; message: string }[]
}

test.each(['openapi.json', 'openapi.yaml'])('redocly finds nothing to warn of in %s', async name => {
  const child = Bun.spawn(
    [process.execPath, 'node_modules/@redocly/cli/bin/cli.js', 'lint', '--format=json', `openapi/${name}`],
    {
      cwd: root,
      env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
      stdout: 'pipe',
      stderr: 'pipe',
    },
  )
  const [said, complaint] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  expect(await child.exited, complaint).toBe(0)
  const report = JSON.parse(said) as Report
  expect(report.problems.map(problem => `${problem.ruleId}: ${problem.message}`)).toEqual([])
  expect(report.totals).toEqual({ errors: 0, warnings: 0, ignored: 0 })
})
