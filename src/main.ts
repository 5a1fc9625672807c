import { takeAssignment } from './supervisor/assignment.ts'

/** Where the executable begins: as a command, or as a serving process that a supervisor has started. */
async function main(): Promise<void> {
  const assignment = takeAssignment(process.env)
  if (assignment) {
    const { work } = await import('./supervisor/worker.ts')
    return work(assignment)
  }
  const { run } = await import('./commands/program.ts')
  process.exit(await run(process.argv.slice(2)))
}

void main()
