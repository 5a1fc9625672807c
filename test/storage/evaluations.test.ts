import { afterAll, describe, expect, test } from 'bun:test'
import { type DatasetStore, datasetStore, type StoredDataset } from '../../src/storage/datasets.ts'
import { type EvaluationStore, evaluationStore, type StoredEvaluation } from '../../src/storage/evaluations.ts'
import { closeDatabases, eachDatabase, migrated } from '../support/databases.ts'

/** Datasets and evaluations, in every kind of database. */

afterAll(closeDatabases)

const dataset: StoredDataset = {
  id: 'd1',
  gateway: 'lab',
  name: 'Herons',
  enable: true,
  filters: [{ key: 'cost', operator: 'gt', value: [0.5, 'x', true] }],
  created: 1_795_000_000_000,
  modified: 1_795_000_000_001,
}
const evaluation: StoredEvaluation = {
  id: 'e1',
  gateway: 'lab',
  name: 'What they cost',
  processed: false,
  logs: 0,
  datasets: [dataset],
  results: [{ id: 'r1', type: 'cost', result: '', status: 'waits', logs: 0, modified: 1 }],
  created: 1_795_000_000_000,
  modified: 1_795_000_000_001,
}

describe.each(eachDatabase)('%s', (_, kind) => {
  test('datasets: kept, changed, bounded and removed, each a gateway’s own', async () => {
    const store: DatasetStore = datasetStore(await migrated(kind))
    expect(await store.add(dataset, 2)).toBe(true)
    const later = { ...dataset, id: 'd0', created: dataset.created + 1 }
    expect(await store.add(later, 2)).toBe(true)
    expect(await store.add({ ...dataset, id: 'd3' }, 2)).toBe(false)
    expect(await store.add({ ...dataset, id: 'd4', gateway: 'other' }, 2)).toBe(true)
    expect(await store.list('lab')).toEqual([dataset, later])
    const changed = { ...dataset, name: 'Egrets', enable: false, filters: [], modified: 7 }
    expect(await store.change(changed)).toBe(true)
    expect(await store.get('lab', 'd1')).toEqual(changed)
    expect(await store.change({ ...changed, gateway: 'other' })).toBe(false)
    expect(await store.get('other', 'd1')).toBeUndefined()
    expect([await store.remove('other', 'd1'), await store.remove('lab', 'd1')]).toEqual([false, true])
    expect(await store.list('lab')).toEqual([later])
  })

  test('evaluations: taken on by one alone, and finished', async () => {
    const store: EvaluationStore = evaluationStore(await migrated(kind))
    expect(await store.add(evaluation, 1)).toBe(true)
    expect(await store.add({ ...evaluation, id: 'e2' }, 1)).toBe(false)
    const read = (await store.get('lab', 'e1'))!
    expect(read).toEqual(evaluation)
    const now = evaluation.modified + 60_000
    const claims = await Promise.all([store.claim(read, now), store.claim(read, now + 1)])
    expect(claims.filter(Boolean)).toHaveLength(1)
    const results = evaluation.results.map(one => ({ ...one, result: '0.5', status: 'done' as const, logs: 3 }))
    await store.finish({ ...read, logs: 3, results, modified: now })
    expect(await store.list('lab')).toEqual([{ ...evaluation, processed: true, logs: 3, results, modified: now }])
    expect(await store.claim((await store.get('lab', 'e1'))!, now + 9)).toBe(false)
    expect([await store.remove('other', 'e1'), await store.remove('lab', 'e1')]).toEqual([false, true])
  })
})
