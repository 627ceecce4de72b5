import { describe, expect, it } from 'vitest'
import { createLogger } from './logger.ts'

describe('the log of a relay', () => {
	it('is one JSON object a line, from its level on, with the fields of its children', () => {
		const lines: string[] = []
		const log = createLogger('info', { write: (line) => lines.push(line) }).child({ part: 'edge' })
		log.debug('not shown')
		log.info('node connected', { nodeId: 'abc', latencyMs: 2 })
		expect(lines.map((line) => JSON.parse(line))).toEqual([
			{ level: 30, time: expect.any(String), part: 'edge', nodeId: 'abc', latencyMs: 2, msg: 'node connected' },
		])
	})

	it('strikes out what is named like a secret, and keeps hostile text on its line', () => {
		const lines: string[] = []
		createLogger('info', { write: (line) => lines.push(line) }).info('x', { token: 'canary', name: 'a\n{"level":50}' })
		expect(lines.join('')).not.toContain('canary')
		expect(lines.join('').trimEnd().split('\n')).toHaveLength(1)
	})
})
