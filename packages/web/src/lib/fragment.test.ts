import type { InviteBundle } from '@sallyport/protocol'
import { formatInvite, nodeIdFromHash, parseInvite } from '@sallyport/protocol'
import { describe, expect, it } from 'vitest'
import { pageOrigin, parseFragment, takeFragment } from './fragment.ts'

function invite(): string {
	const bundle = {
		origin: 'https://relay.example',
		relay_id: 'relay_id_1234',
		node_id: nodeIdFromHash(new Uint8Array(32).fill(9)),
		node_name: 'build-box',
		invite_id: 'abcdef',
		secret: new Uint8Array(32).fill(3),
		expires: 1_800_000_000_000,
	}
	// Safe: only the relay id's brand is missing, and parsing the result proves it.
	return formatInvite(bundle as unknown as InviteBundle)
}

describe('parseFragment', () => {
	it('reads set-up and invite secrets from one link', () => {
		const fragment = parseFragment(`#setup=s3cret-_x&invite=${invite()}`)
		expect(fragment.setupSecret).toBe('s3cret-_x')
		expect(fragment.invite?.node_name).toBe('build-box')
		expect(fragment.problem).toBeUndefined()
	})

	it('names the problem of an invite that was cut short', () => {
		const cut = invite().slice(0, -20)
		expect(parseInvite(cut).ok).toBe(false)
		expect(parseFragment(`#invite=${cut}`)).toMatchObject({ problem: expect.stringContaining('copy all of it again') })
	})

	it.each(['', '#', '#/machines', '#/terminals?setup=x', `#setup=${'x'.repeat(9000)}`, '#other=1'])(
		'takes nothing from %s',
		(hash) => {
			expect(parseFragment(hash)).toEqual({})
		},
	)
})

describe('takeFragment', () => {
	it('wipes a one-use fragment and keeps path and query', () => {
		const replaced: unknown[] = []
		const history = { replaceState: (_data: unknown, _unused: string, url?: string | URL | null) => void replaced.push(url) }
		takeFragment({ hash: '#setup=abc', pathname: '/sally/', search: '?x=1' }, history)
		expect(replaced).toEqual(['/sally/?x=1#/'])
	})

	it('leaves the app’s own routes alone', () => {
		const replaced: unknown[] = []
		const history = { replaceState: (_data: unknown, _unused: string, url?: string | URL | null) => void replaced.push(url) }
		takeFragment({ hash: '#/devices', pathname: '/', search: '' }, history)
		expect(replaced).toEqual([])
	})
})

describe('pageOrigin', () => {
	it.each([
		['http://127.0.0.1:8080/', 'http://127.0.0.1:8080'],
		['https://x.example/sally/#/machines', 'https://x.example/sally'],
		['https://x.example/sally/index.html', 'https://x.example/sally'],
	])('%s is served from %s', (uri, origin) => {
		expect(pageOrigin(uri)).toBe(origin)
	})
})
