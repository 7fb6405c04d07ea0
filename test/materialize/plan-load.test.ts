import {describe, expect, test} from 'vitest'
import {planLoad, stateAfterLoad} from '../../src/materialize/plan-load.js'
import type {ViewState} from '../../src/registry/registry.js'

const fresh: ViewState = {table: 'stats', covered: []}
const covered = (...intervals: ViewState['covered']): ViewState => ({...fresh, covered: intervals})
const incremental = (end: bigint) => ({command: 'materialize-incremental', end}) as const

describe('what an incremental run loads', () => {
  test('all history of a view without a ttl', () => {
    expect(planLoad({}, fresh, incremental(100n), undefined)).toEqual({
      intervals: [{start: null, end: 100n}],
      read: [{start: null, end: 100n}],
    })
  })

  test('of a view with a ttl, what is still served: a row exactly ttl old is', () => {
    expect(planLoad({ttl: 10n}, fresh, incremental(100n), undefined).read).toEqual([{start: 89n, end: 100n}])
  })

  test('the new tail and every hole', () => {
    const state = covered({start: null, end: 20n}, {start: 30n, end: 40n}, {start: 50n, end: 60n})
    expect(planLoad({}, state, incremental(100n), undefined).intervals).toEqual([
      {start: 20n, end: 30n},
      {start: 40n, end: 50n},
      {start: 60n, end: 100n},
    ])
    expect(planLoad({ttl: 44n}, state, incremental(100n), undefined).intervals).toEqual([
      {start: 60n, end: 100n},
    ])
    expect(planLoad({ttl: 55n}, state, incremental(100n), undefined).intervals).toEqual([
      {start: 44n, end: 50n},
      {start: 60n, end: 100n},
    ])
  })

  test('nothing that is covered', () => {
    const state = covered({start: null, end: 100n})
    expect(planLoad({}, state, incremental(70n), undefined)).toEqual({intervals: [], read: []})
  })

  test('the lateness before the watermark again, without counting it twice', () => {
    const state = covered({start: null, end: 90n})
    expect(planLoad({lateness: 15n}, state, incremental(100n), undefined)).toEqual({
      intervals: [{start: 90n, end: 100n}],
      read: [{start: 75n, end: 100n}],
    })
    expect(planLoad({lateness: 50n, ttl: 20n}, state, incremental(100n), undefined).read).toEqual([
      {start: 79n, end: 100n},
    ])
    expect(planLoad({lateness: 15n}, state, incremental(80n), undefined).read).toEqual([
      {start: 75n, end: 80n},
    ])
    expect(planLoad({lateness: 15n}, state, incremental(60n), undefined).read).toEqual([])
  })

  test('rows that arrived since the last run, wherever their event time lies in the window', () => {
    const state: ViewState = {...covered({start: null, end: 90n}), arrival: {created: 85n, rows: 3}}
    expect(planLoad({ttl: 50n}, state, incremental(100n), 3).arrived).toEqual({
      after: 85n,
      orEqual: false,
      within: {start: 49n, end: 100n},
    })
  })

  test('rows of the very microsecond seen last, when their number changed', () => {
    const state: ViewState = {...covered({start: null, end: 90n}), arrival: {created: 85n, rows: 3}}
    expect(planLoad({}, state, incremental(100n), 4).arrived?.orEqual).toBe(true)
    expect(planLoad({}, state, incremental(100n), 2).arrived?.orEqual).toBe(true)
  })

  test('late rows up to the watermark, when the end is before it: the next run takes them for seen', () => {
    const state: ViewState = {...covered({start: null, end: 90n}), arrival: {created: 85n, rows: 3}}
    expect(planLoad({}, state, incremental(50n), 3).arrived?.within).toEqual({start: null, end: 90n})
  })
})

describe('what materialize START END loads', () => {
  test('the interval, whatever is covered or arrived', () => {
    const state: ViewState = {...covered({start: null, end: 90n}), arrival: {created: 85n, rows: 3}}
    const interval = {start: 10n, end: 20n}
    expect(planLoad({ttl: 5n, lateness: 5n}, state, {command: 'materialize', interval}, 9)).toEqual({
      intervals: [interval],
      read: [interval],
    })
  })
})

describe('the state after a load', () => {
  const load = {intervals: [{start: 20n, end: 30n}], arrival: undefined, newestEventTimestamp: 25n}

  test('covers the interval, merged', () => {
    expect(stateAfterLoad(covered({start: null, end: 20n}), load).covered).toEqual([{start: null, end: 30n}])
  })

  test('keeps the newest event time of any run', () => {
    const later: ViewState = {...fresh, newestEventTimestamp: 99n}
    expect(stateAfterLoad(later, load).newestEventTimestamp).toBe(99n)
    expect(stateAfterLoad(fresh, load).newestEventTimestamp).toBe(25n)
    expect(stateAfterLoad(fresh, {...load, newestEventTimestamp: undefined})).not.toHaveProperty(
      'newestEventTimestamp',
    )
  })

  test('does not cover what was removed for its age', () => {
    const state = covered({start: 1n, end: 5n}, {start: 8n, end: 12n})
    expect(stateAfterLoad(state, {...load, forgetBefore: 10n}).covered).toEqual([
      {start: 10n, end: 12n},
      {start: 20n, end: 30n},
    ])
  })
})
