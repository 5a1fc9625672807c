import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Value } from '@sinclair/typebox/value'
import { Dataset } from '../../../src/schemas/management/datasets.ts'
import { Evaluation, EvaluationType } from '../../../src/schemas/management/evaluations.ts'
import { eventually } from '../../binary/executable.ts'
import { type RunningApp, startApp } from '../../support/app.ts'
import { attempt } from '../../telemetry/attempt.ts'
import { call, costing, json, keep, LOOKS, OF_LAB, tokens } from './logs-support.ts'

/** Datasets, evaluations and what they can count, at the socket (contract 10.3, 11.4 to 11.6). */

let app: RunningApp
beforeAll(async () => {
  app = await startApp({ tokens, gateways: { lab: {}, other: {} } })
})
afterAll(() => app.stop())

const DATASETS = '/gateways/lab/datasets'
const EVALUATIONS = '/gateways/lab/evaluations'
const dear = { name: 'Dear', enable: true, filters: [{ key: 'cost', operator: 'gt', value: [1] }] }
const make = async (path: string, body: unknown) => {
  const { status, body: said } = await call(app, path, json('POST', body))
  expect([status, said.errors]).toEqual([200, []])
  return said.result
}

describe('datasets', () => {
  test('are made, listed, looked at, put anew and removed', async () => {
    const made = await make(DATASETS, dear)
    expect([...Value.Errors(Dataset, made)]).toEqual([])
    expect(made).toMatchObject({ ...dear, gateway_id: 'lab' })
    await make(DATASETS, { ...dear, name: 'Cheap', enable: false })
    const names = async (query: string) =>
      (await call(app, `${DATASETS}?${query}`)).body.result.map(({ name }: Dataset) => name)
    expect(await names('')).toEqual(['Dear', 'Cheap'])
    expect(await names('enable=false')).toEqual(['Cheap'])
    expect(await names('name=Dear')).toEqual(['Dear'])
    expect(await names('search=ea')).toEqual(['Dear', 'Cheap'])
    expect(await names('page=2&per_page=1')).toEqual(['Cheap'])
    expect(await names('page=3&per_page=1')).toEqual([])
    const one = `${DATASETS}/${made.id}`
    const put = await call(app, one, json('PUT', { ...dear, name: 'Dearest' }))
    expect(put.body.result).toMatchObject({ id: made.id, name: 'Dearest', created_at: made.created_at })
    expect((await call(app, one)).body.result).toEqual(put.body.result)
    expect((await call(app, one, { method: 'DELETE' })).body.result).toEqual(put.body.result)
    for (const method of ['GET', 'DELETE'])
      expect(await call(app, one, { method })).toMatchObject({ status: 404, body: { errors: [{ code: 7_002 }] } })
  })

  test.each([
    [{ ...dear, name: '' }, ['body', 'name']],
    [{ name: 'x', filters: [] }, ['body', 'enable']],
    [{ ...dear, filters: [{ key: 'token', operator: 'eq', value: ['x'] }] }, ['body', 'filters', '0', 'key']],
    [{ ...dear, filters: [{ key: 'cost', operator: 'neq', value: [1] }] }, ['body', 'filters', '0', 'operator']],
    [{ ...dear, filters: [{ key: 'cost', operator: 'gt', value: ['much'] }] }, ['body', 'filters', '0', 'value']],
    [{ ...dear, filters: [{ key: 'cost', operator: 'gt', value: [] }] }, ['body', 'filters', '0', 'value']],
  ])('%j is refused, and the place told', async (body, path) => {
    expect(await call(app, DATASETS, json('POST', body))).toMatchObject({
      status: 400,
      body: { errors: [{ code: 7_001, path }] },
    })
  })

  test('are a gateway’s own, and not for those who only look', async () => {
    const made = await make('/gateways/other/datasets', dear)
    expect((await call(app, `${DATASETS}/${made.id}`)).status).toBe(404)
    expect((await call(app, DATASETS, { ...json('POST', dear), token: LOOKS })).status).toBe(403)
    expect((await call(app, '/gateways/other/datasets', { token: OF_LAB })).status).toBe(403)
  })
})

describe('evaluations', () => {
  const ALL_TYPES = ['cost', 'speed', 'human_feedback']
  const AT = Date.UTC(2026, 10, 1)
  const finished = async (id: string): Promise<Evaluation> => {
    let found: Evaluation | undefined
    await eventually(async () => {
      found = (await call(app, `${EVALUATIONS}/${id}`)).body.result as Evaluation
      return found.processed
    })
    return found!
  }
  const resultsOf = ({ results }: Evaluation) =>
    Object.fromEntries(
      results.map(one => [one.evaluation_type_id, [one.result, one.status_description, one.total_logs]]),
    )

  beforeAll(async () => {
    const ids = await keep(app, [
      { gateway: 'lab', at: AT, duration: 100, provider: 'openai', ...costing(0.1) },
      { gateway: 'lab', at: AT + 1, duration: 200.5, provider: 'openai', ...costing(0.2) },
      { gateway: 'lab', at: AT + 2, duration: 300, provider: 'openai' },
      { gateway: 'lab', at: AT + 3, duration: 9_000, provider: 'groq', ...costing(9) },
    ])
    for (const [index, feedback] of [1, 1, -1, 1].entries())
      await app.live.records.patch('lab', ids[index]!, { feedback })
  })

  test('count the logs of their datasets, in the background', async () => {
    const openai = await make(DATASETS, {
      ...dear,
      filters: [{ key: 'provider', operator: 'eq', value: ['openai'] }],
    })
    const made = await make(EVALUATIONS, { name: 'Herons', dataset_ids: [openai.id], evaluation_type_ids: ALL_TYPES })
    expect([...Value.Errors(Evaluation, made)]).toEqual([])
    expect(made).toMatchObject({
      name: 'Herons',
      gateway_id: 'lab',
      processed: false,
      datasets: [{ ...openai, account_id: 'home', account_tag: 'home' }],
    })
    const done = await finished(made.id)
    expect([...Value.Errors(Evaluation, done)]).toEqual([])
    expect(done.total_logs).toBe(3)
    expect(resultsOf(done)).toEqual({
      cost: ['0.15', 'done', 2],
      speed: ['200.2', 'done', 3],
      human_feedback: ['66.67', 'done', 3],
    })
    const both = await make(DATASETS, { ...dear, filters: [{ key: 'provider', operator: 'eq', value: ['groq'] }] })
    const more = await make(EVALUATIONS, {
      name: 'Both',
      dataset_ids: [openai.id, both.id],
      evaluation_type_ids: ['cost'],
    })
    const result = await finished(more.id)
    expect([result.total_logs, resultsOf(result)]).toEqual([4, { cost: ['3.1', 'done', 3] }])

    const listed = async (query: string) =>
      (await call(app, `${EVALUATIONS}?${query}`)).body.result.map(({ name }: Evaluation) => name)
    expect(await listed('processed=true')).toEqual(['Herons', 'Both'])
    expect(await listed('processed=false')).toEqual([])
    expect(await listed('search=HER')).toEqual(['Herons'])
    expect(await listed('name=Both&page=2')).toEqual([])
    expect((await call(app, `${EVALUATIONS}/${more.id}`, { method: 'DELETE' })).body.result.id).toBe(more.id)
    expect((await call(app, `${EVALUATIONS}/${more.id}`)).status).toBe(404)
  })

  test('a dataset that is not enabled ends with its last change, and one without logs has no result', async () => {
    const over = await make(DATASETS, { name: 'Over', enable: false, filters: [] })
    const later = await make(DATASETS, {
      name: 'Live',
      enable: true,
      filters: [{ key: 'model', operator: 'eq', value: ['late'] }],
    })
    await Bun.sleep(5)
    app.live.records.put(attempt({ gateway: 'lab', at: Date.now(), model: 'late', ...costing(1) }))
    await app.live.records.flush()
    await Bun.sleep(5)
    const run = async (dataset: Dataset) => {
      const body = { name: 'x', dataset_ids: [dataset.id], evaluation_type_ids: ALL_TYPES }
      return finished((await make(EVALUATIONS, body)).id)
    }
    expect((await run(over)).total_logs).toBe(4)
    expect(resultsOf(await run(later))).toMatchObject({
      cost: ['1', 'done', 1],
      human_feedback: ['', 'no log tells anything of it', 0],
    })
  })

  test('one that a process left behind is taken up when somebody looks', async () => {
    const before = Date.now() - 120_000
    await app.store.evaluations.add(
      {
        id: 'left-behind',
        gateway: 'lab',
        name: 'Left',
        processed: false,
        logs: 0,
        datasets: [
          { id: 'd', gateway: 'lab', name: 'd', enable: true, filters: [], created: before, modified: before },
        ],
        results: [{ id: 'r', type: 'speed', result: '', status: 'waits', logs: 0, modified: before }],
        created: before,
        modified: before,
      },
      10_000,
    )
    expect((await finished('left-behind')).results[0]).toMatchObject({ status: 1 })
  })

  test('what they are of has to be there', async () => {
    const { id } = await make(DATASETS, dear)
    const other = await make('/gateways/other/datasets', dear)
    for (const [body, path] of [
      [{ name: 'x', dataset_ids: [id, other.id], evaluation_type_ids: ['cost'] }, ['body', 'dataset_ids', '1']],
      [{ name: 'x', dataset_ids: [id], evaluation_type_ids: ['beauty'] }, ['body', 'evaluation_type_ids', '0']],
      [{ name: 'x', dataset_ids: [], evaluation_type_ids: ['cost'] }, ['body', 'dataset_ids']],
    ] as const)
      expect(await call(app, EVALUATIONS, json('POST', body))).toMatchObject({
        status: 400,
        body: { errors: [{ code: 7_001, path }] },
      })
  })

  test('the types', async () => {
    const { body } = await call(app, '/evaluation-types?order_by=name&order_by_direction=desc')
    expect(body.result.map(({ id }: EvaluationType) => id)).toEqual(['speed', 'human_feedback', 'cost'])
    for (const one of body.result) expect([...Value.Errors(EvaluationType, one)]).toEqual([])
    expect((await call(app, '/evaluation-types?page=2')).body.result).toEqual([])
  })
})
