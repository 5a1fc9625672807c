import { gather } from '../../explain/gather.ts'
import { explain } from '../../explain/index.ts'
import { demandManaged, notThere } from '../../gateway/manage.ts'
import { success } from './answers.ts'
import type { ManagementHandler } from './call.ts'

/** What happened to a request; not of Cloudflare's. Its log is found by the id of the request or of the event, too. */
const explainLog: ManagementHandler = async ({ params, manager }) => {
  const { gateway = '', id = '' } = params
  demandManaged(manager, gateway)
  const { store, settings } = manager
  const { records } = settings.live
  const story = () => gather(store.database, records, id, gateway)
  let found = await story()
  if (!found && records.waiting() > 0) {
    // It may be so young that it is not written yet.
    await records.flush()
    found = await story()
  }
  if (!found) throw notThere('log')
  return success(explain(found))
}

export const explanations = { explainLog }
