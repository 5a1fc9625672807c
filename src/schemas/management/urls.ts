import { Type } from '@sinclair/typebox'
import { enveloped } from './envelope.ts'

/** The address of a gateway is the plain text of it (contract 11.10). */
export const UrlAnswer = enveloped('UrlAnswer', Type.String())
