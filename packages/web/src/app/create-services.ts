import type { PageSession, SallyClient } from '@sallyport/client'
import type { NodeId } from '@sallyport/protocol'
import { toast } from 'sonner'
import type { LinkFragment } from '../lib/fragment.ts'
import { plainLine } from '../lib/hostile-text.ts'
import { createStored } from '../lib/stored.ts'
import { createAccount } from '../state/account.ts'
import { createApprovals } from '../state/approvals.ts'
import { createNodes } from '../state/nodes.ts'
import { createSettings, parseSettings } from '../state/settings.ts'
import { createTabs, parseRememberedTabs } from '../state/tabs.ts'
import type { Services } from './services.tsx'

export interface ServicesDeps {
	readonly client: SallyClient
	readonly pageSession: PageSession
	readonly fragment: LinkFragment
}

/** Wires the page's parts together. */
export function createServices({ client, pageSession, fragment }: ServicesDeps): Services {
	const settings = createSettings(createStored(localStorage, 'sallyport.settings', parseSettings))
	const tabs = createTabs({
		stored: createStored(sessionStorage, 'sallyport.tabs', (value) => parseRememberedTabs(value, isNodeId)),
		newId: () => crypto.randomUUID(),
	})
	const account = createAccount({ client, pageSession, fragment })
	const nodes = createNodes({
		client,
		onProblem: (problem) => {
			if (problem.code === 'unauthenticated') void account.expire()
		},
	})
	const approvals = createApprovals({
		client,
		nodes,
		onDevicePaired: (nodeName, deviceName) =>
			toast.info(`${plainLine(deviceName, 60)} was paired with ${plainLine(nodeName, 60)}`),
	})
	return { client, pageSession, account, nodes, tabs, approvals, settings }
}

function isNodeId(text: string): text is NodeId {
	return /^[a-z2-7]{52}$/.test(text)
}
