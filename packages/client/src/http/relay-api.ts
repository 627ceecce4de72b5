import { ClientError } from '../errors.ts'
import type { RelayApi } from '../sally-client.ts'
import {
	accessSessionsSchema,
	connectionsSchema,
	enrolTokenSchema,
	nodeSchema,
	nodesSchema,
	relayInfoSchema,
	statsSchema,
	tokenCreatedSchema,
	tokensSchema,
	userSchema,
} from './answers.ts'
import type { Credential } from './credential.ts'
import type { Http, HttpRequest } from './http.ts'

type AuthorizedRequest = Omit<HttpRequest, 'token'>

/** Sends with the credential's token; a token that the relay no longer takes is replaced once, if it can be. */
export async function authorized<T>(credential: Credential, act: (token: string) => Promise<T>): Promise<T> {
	const token = await credential.token()
	try {
		return await act(token)
	} catch (caught) {
		const error = ClientError.from(caught)
		if (error.code !== 'unauthenticated' || !credential.renewAfterRefusal(token)) throw error
		return await act(await credential.token())
	}
}

export function createRelayApi(http: Http, credential: Credential, signOut: () => Promise<void>): RelayApi {
	const json: Http['json'] = (request, schema) => authorized(credential, (token) => http.json({ ...request, token }, schema))
	const done = (request: AuthorizedRequest): Promise<void> => authorized(credential, (token) => http.done({ ...request, token }))
	const item = (collection: string, id: string): string => `/api/${collection}/${encodeURIComponent(id)}`
	return {
		info: () => http.json({ method: 'GET', path: '/api/info' }, relayInfoSchema),
		async nodes() {
			const answer = await json({ method: 'GET', path: '/api/nodes' }, nodesSchema)
			return { nodes: answer.nodes, streamOffset: answer.stream_offset }
		},
		renameNode: (id, name) => json({ method: 'PATCH', path: item('nodes', id), body: { name } }, nodeSchema),
		removeNode: (id) => done({ method: 'DELETE', path: item('nodes', id) }),
		connections: async () => (await json({ method: 'GET', path: '/api/connections' }, connectionsSchema)).connections,
		closeConnection: (id) => done({ method: 'DELETE', path: item('connections', id) }),
		createEnrolToken: (name) =>
			json({ method: 'POST', path: '/api/enrol-tokens', body: name === undefined ? {} : { name } }, enrolTokenSchema),
		revokeEnrolToken: (id) => done({ method: 'DELETE', path: item('enrol-tokens', id) }),
		tokens: async () => (await json({ method: 'GET', path: '/api/tokens' }, tokensSchema)).tokens,
		createToken: (request) => json({ method: 'POST', path: '/api/tokens', body: request }, tokenCreatedSchema),
		revokeToken: (id) => done({ method: 'DELETE', path: item('tokens', id) }),
		accessSessions: async () => (await json({ method: 'GET', path: '/api/access-sessions' }, accessSessionsSchema)).sessions,
		endAccessSession: (id) => done({ method: 'DELETE', path: item('access-sessions', id) }),
		renameAccount: (username) => json({ method: 'PATCH', path: '/api/account', body: { username } }, userSchema),
		stats: () => json({ method: 'GET', path: '/stats' }, statsSchema),
		signOut,
	}
}
