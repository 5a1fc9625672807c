import type { Database } from './database.ts'

/** Small settings that the management API makes, each under a name, as JSON. Whoever reads one knows its form. */
export interface SettingStore {
  /** Nothing where there is none. */
  get(name: string): Promise<unknown>
  set(name: string, value: unknown): Promise<void>
  /** @returns whether there was one */
  remove(name: string): Promise<boolean>
}

export function settingStore(database: Database): SettingStore {
  return {
    async get(name) {
      const row = await database.get<{ value: string }>('SELECT value FROM settings WHERE name = ?', name)
      return row && (JSON.parse(row.value) as unknown)
    },
    async set(name, value) {
      await database.run(
        `INSERT INTO settings (name, value, modified) VALUES (?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value, modified = excluded.modified`,
        name,
        JSON.stringify(value),
        Date.now(),
      )
    },
    async remove(name) {
      return (await database.run('DELETE FROM settings WHERE name = ?', name)) > 0
    },
  }
}
