import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openStore } from './store.ts'

const ROUNDS = 3
const ACKED_PER_ROUND = 200

let folder: string
beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), 'sallyport-kill-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Writes until it is killed, and says each write once it is answered. */
const WRITER = `
import { openStore } from './store.ts'
const store = await openStore({ kind: 'sqlite', dataDir: process.argv[2] })
for (let index = 0; ; index++) {
	const id = process.argv[3] + '-' + index
	await store.users.add({ email: id, username: id, passwordHash: 'hash', roles: ['user'] })
	process.stdout.write(id + '\\n')
}
`

it('keeps every write that was answered when the process is killed in the middle of the next', async () => {
	const program = join(import.meta.dirname, `../../node_modules/.writer-${process.pid}.mjs`)
	await build({
		stdin: { contents: WRITER, resolveDir: import.meta.dirname, loader: 'ts' },
		bundle: true,
		platform: 'node',
		format: 'esm',
		outfile: program,
		packages: 'external',
		conditions: ['@sallyport/source'],
		alias: { '@sallyport/protocol': join(import.meta.dirname, '../../../protocol/src/index.ts') },
	})
	const acked: string[] = []
	try {
		for (let round = 0; round < ROUNDS; round++) acked.push(...(await killAfter(program, `round-${round}`)))
	} finally {
		rmSync(program, { force: true })
	}
	const store = await openStore({ kind: 'sqlite', dataDir: join(folder, 'data') })
	const rows = await store.db.selectFrom('users').innerJoin('auth_accounts', 'user_id', 'users.id').select('email').execute()
	const kept = new Set(rows.map((row) => row.email))
	expect(acked.length).toBeGreaterThanOrEqual(ROUNDS * ACKED_PER_ROUND)
	expect(acked.filter((id) => !kept.has(id))).toEqual([])
	const users = await store.db.selectFrom('users').select('id').execute()
	expect(users).toHaveLength(rows.length)
	await store.close()
})

async function killAfter(program: string, name: string): Promise<readonly string[]> {
	const child = spawn(process.execPath, [program, join(folder, 'data'), name], { stdio: ['ignore', 'pipe', 'inherit'] })
	let output = ''
	child.stdout.on('data', (chunk: Buffer) => {
		output += chunk.toString()
		if (output.split('\n').length > ACKED_PER_ROUND) child.kill('SIGKILL')
	})
	await new Promise((resolve) => child.once('close', resolve))
	// The last piece may be half a line.
	return output.split('\n').slice(0, -1)
}
