import { Paging } from '../../schemas/management/envelope.ts'
import { success } from './answers.ts'
import { queryReader } from './input.ts'

/** Which part of a list is asked for. */
export interface Page {
  page: number
  per_page: number
  /** How many come before it. */
  offset: number
}

const read = queryReader(Paging)

/** @throws GatewayFault 400/7001 */
export function pageOf(request: Request): Page {
  return pageIn(read(request))
}

/** The same for a query that is read already. */
export function pageIn({ page = 1, per_page = 20 }: Paging): Page {
  return { page, per_page, offset: (page - 1) * per_page }
}

/**
 * A page in its envelope. Past the end it is empty: Cloudflare's client asks for one after another until it comes upon
 * such a page, whatever `total_pages` says (contract 11.1).
 * @param total of the whole list
 */
export function pageAnswer(items: readonly unknown[], total: number, { page, per_page }: Page): Response {
  const info = {
    page,
    per_page,
    count: items.length,
    total_count: total,
    total_pages: Math.ceil(total / per_page),
  }
  return success(items, { info })
}

/** The same for a list that is short enough to be there whole. */
export function pageFrom(list: readonly unknown[], page: Page): Response {
  return pageAnswer(list.slice(page.offset, page.offset + page.per_page), list.length, page)
}
