import type { InviteBundle } from '@sallyport/protocol'
import { relayIdSchema } from '@sallyport/protocol'
import { parse } from 'valibot'
import { bytesOf, idOf } from './scripted-nodes.ts'

export function previewInvite(): InviteBundle {
	return {
		origin: location.origin,
		relay_id: parse(relayIdSchema, 'relay_0001'),
		node_id: idOf('build-box'),
		node_name: 'build-box',
		invite_id: 'invite_1',
		secret: bytesOf('secret'),
		expires: Date.now() + 581_000,
	}
}
