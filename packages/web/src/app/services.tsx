import type { PageSession, SallyClient } from '@sallyport/client'
import { createContext, use } from 'react'
import { useStore } from 'zustand'
import type { AccountModel, AccountState } from '../state/account.ts'
import type { ApprovalsModel } from '../state/approvals.ts'
import type { NodesModel, NodesState } from '../state/nodes.ts'
import type { Settings, SettingsModel } from '../state/settings.ts'
import type { TabsModel } from '../state/tabs.ts'

/** All that screens work with; made once, in the composition root. */
export interface Services {
	readonly client: SallyClient
	readonly pageSession: PageSession
	readonly account: AccountModel
	readonly nodes: NodesModel
	readonly tabs: TabsModel
	readonly approvals: ApprovalsModel
	readonly settings: SettingsModel
}

export const ServicesContext = createContext<Services | undefined>(undefined)

export function useServices(): Services {
	const services = use(ServicesContext)
	if (services === undefined) throw new Error('screen is used outside of ServicesContext')
	return services
}

export function useSettings(): Settings {
	return useStore(useServices().settings.store)
}

export function useNodes(): NodesState {
	return useStore(useServices().nodes.store)
}

export function useAccount(): AccountState {
	return useStore(useServices().account.store)
}

export function useTabs() {
	return useStore(useServices().tabs.store)
}
