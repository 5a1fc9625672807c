import { Elysia } from 'elysia'
import { routes } from './documentation.ts'

/** For monitors: whether the process lives, and whether it can serve. Open to everyone; they tell nothing else. */
export function healthRoutes(isReady: () => boolean) {
  return new Elysia({ name: 'health' })
    .get(routes.getHealth.path, () => Response.json({ status: 'ok' }), { detail: routes.getHealth.detail })
    .get(
      routes.getReadiness.path,
      () => (isReady() ? Response.json({ status: 'ready' }) : Response.json({ status: 'not_ready' }, { status: 503 })),
      { detail: routes.getReadiness.detail },
    )
}
