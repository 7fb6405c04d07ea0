import {describe, expect, it} from 'vitest'
import {createPlan} from '../../src/plan/create-plan.js'
import {formatPlan, parsePlan} from '../../src/plan/plan.js'
import {loadedRides, ridesWith, stats} from './rides.js'

describe('a plan file', () => {
  const plan = createPlan(ridesWith([{...stats, ttl: 1n, online: false}]), loadedRides)
  const text = formatPlan(plan)

  it('is readable and comes back as it was', () => {
    expect(parsePlan(text, 'plan.json')).toEqual(plan)
    expect(text).toMatchSnapshot()
  })

  it.each([
    ['', 'it is not JSON'],
    ['null', 'it holds no object'],
    ['{"changes": []}', 'its `format` is not `feature-repo plan`'],
    [text.replace('"version": 1', '"version": 2'), 'format version is 2, and this release reads version 1'],
    [text.replace('destroys_data', 'safe'), 'its checksum does not match'],
    [text.replace('"dtype": "float64"', '"dtype": "float32"'), 'its checksum does not match'],
    [text.replace('"changes"', '"change"'), 'its checksum does not match'],
  ])('is refused with the reason, %#', (changed, reason) => {
    expect(() => parsePlan(changed, 'plan.json')).toThrow(
      expect.objectContaining({
        code: 'FS_PLAN_INVALID',
        message: expect.stringContaining(reason),
        position: {file: 'plan.json'},
      }),
    )
  })
})
