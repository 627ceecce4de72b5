import type { UserInfo } from '@sallyport/protocol'

/** What others may know of a user: picked by hand, so that no new field slips out. */
export function toUserInfo(user: UserInfo): UserInfo {
	const { id, email, username, roles } = user
	return { id, email, username, roles }
}
