import { type Static, Type } from '@sinclair/typebox'
import { open, word } from './open.ts'

export const Health = open({ status: Type.Literal('ok') }, { $id: 'Health', description: 'The process runs.' })

export const Readiness = open(
  {
    status: word(['ready', 'not_ready'], {
      description: '`not_ready` while starting, while stopping, or when the database is out of reach.',
    }),
  },
  { $id: 'Readiness', description: 'Whether requests should be sent here.' },
)

export type Health = Static<typeof Health>
export type Readiness = Static<typeof Readiness>
