import { describe, expect, it } from 'vitest'
import { endedPhase, failedPhase, isShellOver } from './end-reason.ts'

describe('endedPhase', () => {
	it('goes on trying when the link was lost and may come back', () => {
		expect(
			endedPhase({ kind: 'link', end: { code: 'connection_lost', message: 'lost', retry: true } }, undefined),
		).toBeUndefined()
		expect(endedPhase({ kind: 'reset', reset: { code: 'link_lost', message: '', byPeer: false } }, undefined)).toBeUndefined()
	})

	it('goes on trying when only the sign-in was over', () => {
		expect(
			endedPhase({ kind: 'link', end: { code: 'refused', message: 'sign in again', retry: false } }, undefined),
		).toBeUndefined()
	})

	it('tells a shell that is over from one that only lost its path', () => {
		const lost = { kind: 'link', end: { code: 'session_revoked', message: '', retry: false } } as const
		expect([isShellOver({ kind: 'exit', status: 0 }), isShellOver(lost), isShellOver({ kind: 'detached' })]).toEqual([
			true,
			false,
			false,
		])
	})

	it('gives the reason of an end for good', () => {
		expect(
			endedPhase({ kind: 'link', end: { code: 'session_revoked', message: 'this device was revoked', retry: false } }, undefined),
		).toMatchObject({
			detail: 'This device was revoked.',
			tone: 'error',
		})
	})

	it.each([
		[{ kind: 'exit', status: 0 }, 'The shell has exited'],
		[{ kind: 'exit', status: 3 }, 'The shell has exited with status 3'],
		[{ kind: 'exit', signal: 'KILL' }, 'Ended by signal KILL'],
		[{ kind: 'detached' }, 'Detached'],
		[{ kind: 'reset', reset: { code: 'host_key_changed', message: 'x', byPeer: true } }, 'The host key has changed: refused'],
		[{ kind: 'reset', reset: { code: 'not_found', message: 'x', byPeer: true } }, 'That terminal is gone'],
	] as const)('%j is told as %s', (end, reason) => {
		expect(endedPhase(end, undefined)?.reason).toBe(reason)
	})
})

describe('failedPhase', () => {
	it.each([
		[{ code: 'node_offline', message: 'Lost 3 min ago.' }, 'The machine is offline'],
		[{ code: 'reset', resetCode: 'host_key_changed', message: 'x' }, 'The host key has changed: refused'],
		[{ code: 'reset', resetCode: 'spawn_failed', message: 'x' }, 'The terminal could not be opened'],
		[{ code: 'not_found', message: 'x' }, 'That terminal is gone'],
		[{ code: 'never_heard_of', message: 'x' }, 'The terminal could not be opened'],
	])('%j is told as %s', (problem, reason) => {
		expect(failedPhase(problem, undefined).reason).toBe(reason)
	})
})
