import { request as httpRequest } from 'node:http'
import { AGENT_ERROR_CODES, AgentError, errorText, systemCode } from '../errors.ts'
import type { ControlAnswers, ControlRequest } from './control-api.ts'
import { controlSocketPath } from './control-path.ts'

/** Speaks with the agent that runs with a data folder; for the CLI of the same user. */
export interface AgentControlClient {
	/**
	 * Asks the running agent.
	 *
	 * @throws {AgentError} `not_running`, or what the agent refused it with
	 */
	ask<R extends ControlRequest>(request: R): Promise<ControlAnswers[R['op']]>
	/** Whether an agent answers. */
	isRunning(): Promise<boolean>
}

const TIMEOUT_MS = 30_000

export function createAgentControlClient(dataDir: string): AgentControlClient {
	const { path } = controlSocketPath(dataDir)
	const ask = async <R extends ControlRequest>(request: R): Promise<ControlAnswers[R['op']]> => {
		const answer = await send(path, JSON.stringify(request), dataDir)
		// Safe: the agent at the other end is this same program and of the same user; the op names the answer's type.
		return answer as ControlAnswers[R['op']]
	}
	return {
		ask,
		isRunning: () =>
			ask({ op: 'status' }).then(
				() => true,
				(error: unknown) => !(error instanceof AgentError && error.code === 'not_running'),
			),
	}
}

function send(socketPath: string, body: string, dataDir: string): Promise<unknown> {
	return new Promise((resolve, reject) => {
		const fail = (error: unknown): void => {
			const isAbsent = ['ENOENT', 'ECONNREFUSED', 'ENOTSOCK'].includes(systemCode(error))
			reject(
				isAbsent
					? new AgentError('not_running', `no agent is running with the data folder ${dataDir}: start it with sally agent start`)
					: new AgentError('request_failed', `the agent could not be asked: ${errorText(error)}`, { cause: error }),
			)
		}
		const request = httpRequest(
			{
				socketPath,
				path: '/control',
				method: 'POST',
				headers: { 'content-type': 'application/json', host: 'localhost' },
				signal: AbortSignal.timeout(TIMEOUT_MS),
			},
			(response) => {
				const chunks: Buffer[] = []
				response.on('data', (chunk: Buffer) => chunks.push(chunk))
				response.on('error', fail)
				response.on('end', () => settle(Buffer.concat(chunks).toString(), resolve, reject))
			},
		)
		request.on('error', fail)
		request.end(body)
	})
}

function settle(text: string, resolve: (answer: unknown) => void, reject: (error: AgentError) => void): void {
	const parsed: unknown = parseOrUndefined(text)
	if (typeof parsed === 'object' && parsed !== null && 'answer' in parsed) return resolve(parsed.answer)
	const error: unknown = typeof parsed === 'object' && parsed !== null && 'error' in parsed ? parsed.error : undefined
	const message = field(error, 'message') ?? 'the agent gave no answer that this version understands'
	const code = AGENT_ERROR_CODES.find((known) => known === field(error, 'code')) ?? 'request_failed'
	return reject(new AgentError(code, message))
}

function field(value: unknown, name: string): string | undefined {
	const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
	return typeof found === 'string' ? found : undefined
}

function parseOrUndefined(text: string): unknown {
	try {
		return JSON.parse(text)
	} catch {
		return undefined
	}
}
