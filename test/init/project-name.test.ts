import fc from 'fast-check'
import {expect, test} from 'vitest'
import {checkProjectName, projectNameOf} from '../../src/init/project-name.js'

test.each([
  ['rides', 'rides'],
  ['My Rides (2024)', 'my_rides_2024'],
  ['42-rides', 'rides'],
  ['Größe', 'gro_e'],
  ['機能', 'features'],
  ['', 'features'],
])('the folder %j makes the project %s', (folder, project) => {
  expect(projectNameOf(folder)).toBe(project)
})

test('any folder makes a name that a project may have', () => {
  fc.assert(
    fc.property(fc.string({unit: 'grapheme', maxLength: 100}), (folder) => {
      expect(checkProjectName(projectNameOf(folder))).toMatch(/[a-z0-9]$/)
    }),
  )
})
