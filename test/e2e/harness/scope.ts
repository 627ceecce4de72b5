/**
 * What a test file owns: one temporary folder, and everything started in it. Closing undoes all of it, newest first.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach } from 'vitest'

export interface Scope {
	/** Gone when the scope is closed. */
	readonly folder: string
	defer(undo: () => void | Promise<void>): void
	/** What is shown when a test fails: the logs of a program, say. */
	addLog(name: string, read: () => string): void
	logs(): string
	close(): Promise<void>
}

export function createScope(): Scope {
	const folder = mkdtempSync(join(tmpdir(), 'sallyport-e2e-'))
	const undos: (() => void | Promise<void>)[] = [() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 })]
	const logs: { readonly name: string; readonly read: () => string }[] = []
	return {
		folder,
		defer: (undo) => void undos.push(undo),
		addLog: (name, read) => void logs.push({ name, read }),
		logs: () => logs.map(({ name, read }) => `---- ${name}\n${read()}`).join('\n'),
		async close() {
			const failures: unknown[] = []
			for (let undo = undos.pop(); undo !== undefined; undo = undos.pop()) {
				try {
					await undo()
				} catch (error) {
					failures.push(error)
				}
			}
			if (failures.length > 0) throw new AggregateError(failures, 'the scope did not close cleanly')
		},
	}
}

/** A scope for the whole test file; when a test fails, the logs of what runs in it are printed. */
export function useScope(): Scope {
	const scope = createScope()
	afterEach(({ task }) => {
		if (task.result?.state === 'fail') console.error(`${task.name}: failed; logs follow\n${scope.logs()}`)
	})
	afterAll(() => scope.close(), 60_000)
	return scope
}

/** A person's or machine's home of its own: nothing is read from, or left in, the real one. */
export interface Home {
	readonly folder: string
	readonly env: Readonly<Record<string, string>>
}

export function createHome(scope: Scope, name: string): Home {
	const folder = join(scope.folder, name)
	const below = (path: string) => {
		mkdirSync(join(folder, path), { recursive: true, mode: 0o700 })
		return join(folder, path)
	}
	return {
		folder,
		env: {
			HOME: below('.'),
			XDG_CONFIG_HOME: below('config'),
			XDG_DATA_HOME: below('data'),
			XDG_STATE_HOME: below('state'),
			XDG_CACHE_HOME: below('cache'),
			XDG_RUNTIME_DIR: below('run'),
			PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`,
			LANG: 'C.UTF-8',
			TERM: 'xterm-256color',
			SHELL: '/bin/bash',
			NO_COLOR: '1',
		},
	}
}
