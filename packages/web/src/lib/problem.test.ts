import { expect, it } from 'vitest'
import { sentence, toProblem } from './problem.ts'

it('keeps the code and makes a sentence of the message', () => {
	const error = Object.assign(new Error('the machine is not connected to the relay'), { code: 'node_offline', retryAfterMs: 500 })
	expect(toProblem(error)).toEqual({
		code: 'node_offline',
		message: 'The machine is not connected to the relay.',
		retryAfterMs: 500,
	})
})

it.each([null, 'text', { message: 'x' }])('answers for %j, which is no error', (thrown) => {
	expect(toProblem(thrown).code).toBe('internal')
})

it.each([
	['sally: not found', 'Sally: not found.'],
	['Done.', 'Done.'],
	['', 'No reason was given.'],
	['node_x is gone', 'node_x is gone.'],
	['ws://relay:1 could not be reached', 'ws://relay:1 could not be reached.'],
	['raspberry lost its connection', 'raspberry lost its connection.'],
	['raspberries are off', 'Raspberries are off.'],
])('%j reads %j', (message, read) => expect(sentence(message, 'raspberry')).toBe(read))
