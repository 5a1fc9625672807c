import { demandManaged, type Manager, notThere } from '../../gateway/manage.ts'
import { type Dataset, DatasetsQuery, NewDataset } from '../../schemas/management/datasets.ts'
import type { StoredDataset } from '../../storage/datasets.ts'
import { invalid, success } from './answers.ts'
import type { ManagementHandler } from './call.ts'
import { bodyReader, queryReader } from './input.ts'
import { wrongIn } from './log-filters.ts'
import { pageFrom, pageIn } from './paging.ts'

/** Datasets (contract 11.4). */

const MOST_DATASETS = 1_000

const readDataset = bodyReader(NewDataset)
const readQuery = queryReader(DatasetsQuery)

const listDatasets: ManagementHandler = async ({ request, params, manager }) => {
  const { gateway, store } = scopeOf(manager, params)
  const { enable, name, search = '', ...page } = readQuery(request)
  const list = (await store.list(gateway)).filter(
    one =>
      (enable === undefined || one.enable === enable) &&
      (name === undefined || one.name === name) &&
      one.name.toLowerCase().includes(search.toLowerCase()),
  )
  return pageFrom(list.map(datasetOf), pageIn(page))
}

const getDataset: ManagementHandler = async ({ params, manager }) => success(datasetOf(await found(manager, params)))

const createDataset: ManagementHandler = async ({ request, params, manager }) => {
  const { gateway, store } = scopeOf(manager, params)
  const { value, notes } = await readDataset(request, manager.settings.config.server.max_body)
  const now = Date.now()
  const dataset = { id: Bun.randomUUIDv7(), gateway, ...soundOf(value), created: now, modified: now }
  if (!(await store.add(dataset, MOST_DATASETS)))
    throw invalid('body', { path: '', message: `a gateway has at most ${MOST_DATASETS} datasets` })
  return success(datasetOf(dataset), { notes })
}

const replaceDataset: ManagementHandler = async ({ request, params, manager }) => {
  const { store } = scopeOf(manager, params)
  const before = await found(manager, params)
  const { value, notes } = await readDataset(request, manager.settings.config.server.max_body)
  const dataset = { ...before, ...soundOf(value), modified: Date.now() }
  if (!(await store.change(dataset))) throw notThere('dataset')
  return success(datasetOf(dataset), { notes })
}

const deleteDataset: ManagementHandler = async ({ params, manager }) => {
  const { gateway, store } = scopeOf(manager, params)
  const dataset = await found(manager, params)
  if (!(await store.remove(gateway, dataset.id))) throw notThere('dataset')
  return success(datasetOf(dataset))
}

export const datasets = { listDatasets, getDataset, createDataset, replaceDataset, deleteDataset }

type Params = Readonly<Record<string, string>>

function scopeOf(manager: Manager, { gateway = '' }: Params) {
  demandManaged(manager, gateway)
  return { gateway, store: manager.store.datasets }
}

async function found(manager: Manager, params: Params): Promise<StoredDataset> {
  const { gateway, store } = scopeOf(manager, params)
  const dataset = await store.get(gateway, params.id ?? '')
  if (!dataset) throw notThere('dataset')
  return dataset
}

/** @throws GatewayFault 400/7001 for a value that its key cannot have */
function soundOf({ name, enable, filters }: NewDataset): NewDataset {
  for (const [index, filter] of filters.entries()) {
    const wrong = wrongIn(filter)
    if (!wrong) continue
    const path = `filters[${index}].${wrong.member}`
    throw invalid('body', { path, message: `${path}: ${wrong.message}` })
  }
  return { name, enable, filters: filters.map(({ key, operator, value }) => ({ key, operator, value })) }
}

export const datasetOf = ({ id, gateway, name, enable, filters, created, modified }: StoredDataset): Dataset => ({
  id,
  gateway_id: gateway,
  name,
  enable,
  filters,
  created_at: new Date(created).toISOString(),
  modified_at: new Date(modified).toISOString(),
})
