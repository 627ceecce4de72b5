import { randomUUID } from 'node:crypto'
import type { NodeId, Role, UserId } from '@sallyport/protocol'
import type { Transaction } from 'kysely'
import type { Db, StoreDialect } from './dialect.ts'
import { addEvent } from './events.ts'
import { freeName } from './node-names.ts'
import type { UserRecord } from './records.ts'
import { parseNodeId, rowToUser } from './records.ts'
import type { Database } from './schema.ts'

const OWNER_SETTING = 'owner_id'
/** The name under which better-auth keeps a password. */
const PASSWORD_PROVIDER = 'credential'

export interface NewUser {
	/** Lower case: the caller has normalised it. */
	readonly email: string
	readonly username: string
	readonly passwordHash: string
	readonly roles: readonly Role[]
}

export type OwnerCreation =
	| { readonly kind: 'created'; readonly user: UserRecord; readonly nodeId?: NodeId }
	| { readonly kind: 'exists' }
	/** The set-up token is not the newest one: another start of the relay made a newer link. */
	| { readonly kind: 'stale' }

export interface Users {
	ownerExists(): Promise<boolean>
	/** Makes the owner and hands over the set-up token and the nodes that came by it, or does none of it. */
	createOwner(user: NewUser, setupTokenId: string): Promise<OwnerCreation>
	add(user: NewUser): Promise<UserRecord>
	/** By e-mail in lower case; disabled accounts are absent. */
	findLogin(email: string): Promise<{ readonly user: UserRecord; readonly passwordHash: string } | undefined>
	passwordHash(userId: UserId): Promise<string | undefined>
	rename(userId: UserId, username: string): Promise<UserRecord | undefined>
	/** Sets the password and ends every sign-in, session and token of the user, in one transaction. */
	changePassword(userId: UserId, passwordHash: string): Promise<void>
	/** Bars the user and ends all they hold. */
	disable(userId: UserId): Promise<void>
}

export function createUsers(db: Db, dialect: StoreDialect): Users {
	return {
		async ownerExists() {
			const row = await db.selectFrom('relay_settings').select('value').where('key', '=', OWNER_SETTING).executeTakeFirst()
			return row !== undefined
		},
		async createOwner(user, setupTokenId) {
			try {
				return await db.transaction().execute((transaction) => createOwner(transaction, dialect, user, setupTokenId))
			} catch (failure) {
				if (failure instanceof StaleSetup) return { kind: 'stale' }
				throw failure
			}
		},
		add: (user) => db.transaction().execute((transaction) => insertUser(transaction, dialect, user)),
		async findLogin(email) {
			const row = await db
				.selectFrom('users')
				.innerJoin('auth_accounts', 'auth_accounts.user_id', 'users.id')
				.select(['users.id', 'users.email', 'users.username', 'users.roles', 'users.session_epoch', 'auth_accounts.password'])
				.where('users.email', '=', email)
				.where('users.disabled_at', 'is', null)
				.where('auth_accounts.provider_id', '=', PASSWORD_PROVIDER)
				.executeTakeFirst()
			return row === undefined || row.password === null ? undefined : { user: rowToUser(row), passwordHash: row.password }
		},
		async passwordHash(userId) {
			const row = await db
				.selectFrom('auth_accounts')
				.select('password')
				.where('user_id', '=', userId)
				.where('provider_id', '=', PASSWORD_PROVIDER)
				.executeTakeFirst()
			return row?.password ?? undefined
		},
		async rename(userId, username) {
			const row = await db
				.updateTable('users')
				.set({ username, updated_at: dialect.authNow() })
				.where('id', '=', userId)
				.returning(['id', 'email', 'username', 'roles', 'session_epoch'])
				.executeTakeFirst()
			return row === undefined ? undefined : rowToUser(row)
		},
		async changePassword(userId, passwordHash) {
			await db.transaction().execute(async (transaction) => {
				await transaction
					.updateTable('auth_accounts')
					.set({ password: passwordHash, updated_at: dialect.authNow() })
					.where('user_id', '=', userId)
					.where('provider_id', '=', PASSWORD_PROVIDER)
					.execute()
				await endCredentials(transaction, dialect, userId)
			})
		},
		async disable(userId) {
			await db.transaction().execute(async (transaction) => {
				await transaction.updateTable('users').set({ disabled_at: dialect.now }).where('id', '=', userId).execute()
				await endCredentials(transaction, dialect, userId)
			})
		},
	}
}

/** Undoes the transaction it is thrown in. */
class StaleSetup extends Error {}

async function createOwner(
	transaction: Transaction<Database>,
	dialect: StoreDialect,
	user: NewUser,
	setupTokenId: string,
): Promise<OwnerCreation> {
	const id = randomUUID()
	// The primary key decides between callers at the same moment: one inserts, the others wait for it and find it there.
	const claim = await transaction
		.insertInto('relay_settings')
		.values({ key: OWNER_SETTING, value: id })
		.onConflict((conflict) => conflict.column('key').doNothing())
		.executeTakeFirst()
	if ((claim.numInsertedOrUpdatedRows ?? 0n) === 0n) return { kind: 'exists' }
	const created = await insertUser(transaction, dialect, user, id)
	const token = await transaction
		.updateTable('pat_tokens')
		.set({ user_id: id })
		.where('token_id', '=', setupTokenId)
		.where('kind', '=', 'enrol')
		.where('user_id', 'is', null)
		.where('revoked_at', 'is', null)
		.executeTakeFirst()
	if (token.numUpdatedRows === 0n) throw new StaleSetup('set-up token is not the newest')
	const nodeId = await adoptNodes(transaction, dialect, created.id)
	return { kind: 'created', user: created, ...(nodeId === undefined ? {} : { nodeId }) }
}

/** Nodes without an owner came by set-up tokens, which only the relay's own machine is ever given. */
async function adoptNodes(
	transaction: Transaction<Database>,
	dialect: StoreDialect,
	userId: UserId,
): Promise<NodeId | undefined> {
	const nodes = await transaction
		.selectFrom('nodes')
		.select(['id', 'name'])
		.where('user_id', 'is', null)
		.where('revoked_at', 'is', null)
		.orderBy('created_at', 'desc')
		.execute()
	for (const node of nodes) {
		const name = await freeName(transaction, userId, node.name)
		await transaction.updateTable('nodes').set({ user_id: userId, name }).where('id', '=', node.id).execute()
		await addEvent(transaction, dialect, 'node_changed', node.id)
	}
	return nodes[0] === undefined ? undefined : parseNodeId(nodes[0].id)
}

async function insertUser(
	transaction: Transaction<Database>,
	dialect: StoreDialect,
	user: NewUser,
	id: string = randomUUID(),
): Promise<UserRecord> {
	const now = dialect.authNow()
	const row = await transaction
		.insertInto('users')
		.values({
			id,
			created_at: now,
			updated_at: now,
			email: user.email,
			email_verified: dialect.authBoolean(false),
			password: null,
			username: user.username,
			avatar_url: null,
			roles: JSON.stringify(user.roles),
			disabled_at: null,
		})
		.returning(['id', 'email', 'username', 'roles', 'session_epoch'])
		.executeTakeFirstOrThrow()
	await transaction
		.insertInto('auth_accounts')
		.values({
			id: randomUUID(),
			user_id: id,
			account_id: id,
			provider_id: PASSWORD_PROVIDER,
			password: user.passwordHash,
			created_at: now,
			updated_at: now,
		})
		.execute()
	return rowToUser(row)
}

/** The epoch kills what is being made at this very moment from a credential checked before. */
async function endCredentials(transaction: Transaction<Database>, dialect: StoreDialect, userId: UserId): Promise<void> {
	await transaction
		.updateTable('users')
		.set((eb) => ({ session_epoch: eb('session_epoch', '+', 1) }))
		.where('id', '=', userId)
		.execute()
	await transaction.deleteFrom('auth_sessions').where('user_id', '=', userId).execute()
	for (const table of ['access_sessions', 'pat_tokens'] as const) {
		await transaction
			.updateTable(table)
			.set({ revoked_at: dialect.now })
			.where('user_id', '=', userId)
			.where('revoked_at', 'is', null)
			.execute()
	}
	await addEvent(transaction, dialect, 'user', userId)
}
