/** What every registry must do; each driver's test runs it unchanged. */
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import type {Registry, RegistryDocument} from '../../src/registry/registry.js'
import {updateRegistry} from '../../src/registry/update-registry.js'
import {sampleDocument} from '../registry/sample-document.js'

/** One place where a registry may live; several handles on it stand for several processes. */
export interface RegistryPlace extends AsyncDisposable {
  /** Whether it holds the registries of several projects, each by itself. */
  readonly isShared: boolean
  open(project: string): Promise<Registry>
}

export function describeRegistry(name: string, newPlace: () => Promise<RegistryPlace>): void {
  describe(`${name} registry`, () => {
    let place: RegistryPlace
    let registry: Registry
    let other: Registry

    beforeEach(async () => {
      place = await newPlace()
      registry = await place.open('rides')
      other = await place.open('rides')
    })

    afterEach(async () => {
      await registry[Symbol.asyncDispose]()
      await other[Symbol.asyncDispose]()
      await place[Symbol.asyncDispose]()
    })

    it('reads an empty document, at a revision, where nothing was ever committed', async () => {
      const {document, revision} = await registry.read()
      expect(document).toEqual({
        project: 'rides',
        definitions: {entities: [], dataSources: [], featureViews: [], featureServices: []},
        views: {},
        pendingDrops: [],
        runs: [],
      })
      expect(revision).not.toBe('')
      expect((await other.read()).revision).toBe(revision)
    })

    it('gives back exactly what was committed', async () => {
      const committed = await registry.commit(sampleDocument(), (await registry.read()).revision)
      expect(committed.document).toEqual(sampleDocument())
      expect(await registry.read()).toEqual(committed)
      expect(await other.read()).toEqual(committed)
    })

    it('refuses a commit on a revision that is no longer the newest, and changes nothing', async () => {
      const {document, revision} = await registry.read()
      const winner = await other.commit({...document, pendingDrops: ['theirs']}, revision)
      await expect(registry.commit({...document, pendingDrops: ['ours']}, revision)).rejects.toMatchObject({
        code: 'FS_REGISTRY_CONFLICT',
      })
      expect(await registry.read()).toEqual(winner)
    })

    it('lets exactly one of many commits on one revision win', async () => {
      const {document, revision} = await registry.read()
      const outcomes = await Promise.allSettled(
        Array.from({length: 12}, (_, writer) =>
          (writer % 2 === 0 ? registry : other).commit(
            {...document, pendingDrops: [`writer_${writer}`]},
            revision,
          ),
        ),
      )
      const won = outcomes.filter((outcome) => outcome.status === 'fulfilled')
      expect(won).toHaveLength(1)
      expect(await registry.read()).toEqual(won[0]!.value)
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected')
          expect(outcome.reason).toMatchObject({code: 'FS_REGISTRY_CONFLICT'})
      }
    })

    it('loses no update of many at once', async () => {
      await Promise.all(
        Array.from({length: 24}, (_, writer) =>
          updateRegistry(writer % 2 === 0 ? registry : other, addDrop(`update_${writer}`)),
        ),
      )
      const {document} = await registry.read()
      const expected = Array.from({length: 24}, (_, writer) => `update_${writer}`)
      expect([...document.pendingDrops].sort()).toEqual(expected.sort())
    })

    it('never gives a revision twice, not for the same content and not after a teardown', async () => {
      const revisions: string[] = []
      for (let round = 0; round < 3; round += 1) {
        for (let commit = 0; commit < 3; commit += 1) {
          const {document, revision} = await registry.read()
          revisions.push((await registry.commit(document, revision)).revision)
        }
        await registry.destroy()
      }
      expect(new Set(revisions).size).toBe(9)
    })

    it('forgets everything when destroyed, also twice, and begins again', async () => {
      const {revision} = await registry.commit(sampleDocument(), (await registry.read()).revision)
      await registry.destroy()
      await other.destroy()
      const empty = await other.read()
      expect(empty.document.runs).toEqual([])
      await expect(registry.commit(sampleDocument(), revision)).rejects.toMatchObject({
        code: 'FS_REGISTRY_CONFLICT',
      })
      await registry.commit(sampleDocument(), empty.revision)
      expect((await other.read()).document).toEqual(sampleDocument())
    })

    it('leaves the registry of another project alone, and does not take it for its own', async () => {
      const committed = await registry.commit(sampleDocument(), (await registry.read()).revision)
      const stranger = await place.open('deliveries')
      if (place.isShared) {
        const {document, revision} = await stranger.read()
        expect(document.definitions.featureViews).toEqual([])
        await stranger.commit(sampleDocument('deliveries'), revision)
        await stranger.destroy()
        expect(await registry.read()).toEqual(committed)
        await stranger[Symbol.asyncDispose]()
        return
      }
      const refusal = {code: 'FS_REGISTRY_PROJECT_MISMATCH'}
      await expect(stranger.read()).rejects.toMatchObject(refusal)
      await expect(stranger.commit(sampleDocument('deliveries'), committed.revision)).rejects.toMatchObject(
        refusal,
      )
      await expect(stranger.destroy()).rejects.toMatchObject(refusal)
      expect(await registry.read()).toEqual(committed)
      await stranger[Symbol.asyncDispose]()
    })
  })
}

function addDrop(table: string): (document: RegistryDocument) => RegistryDocument {
  return (document) => ({...document, pendingDrops: [...document.pendingDrops, table]})
}
