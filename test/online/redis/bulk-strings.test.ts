import {expect, test} from 'vitest'
import type {GrowingBytes} from '../../../src/online/growing-bytes.js'
import {BulkStrings} from '../../../src/online/redis/bulk-strings.js'

/** Lengths around each power of ten, up and down. */
const lengths = [0, 9, 10, 99, 100, 999, 1000, 9999, 10_000, 99_999, 100_000, 1000, 9, 0, 111, 112]
const bytesOf = (length: number): Buffer => Buffer.alloc(length, `row\r\n$${length}`)

const rows = {
  appendTo: (target: GrowingBytes, row: number) => target.append(bytesOf(lengths[row] as number)),
}

const framed = (bytes: Buffer): Buffer => Buffer.from(`$${bytes.length}\r\n${bytes.toString()}\r\n`)

test('rows that are written in place are framed as those that are copied', () => {
  const [written, copied] = [new BulkStrings(1), new BulkStrings(1)]
  for (const [row, length] of lengths.entries()) {
    written.addRow(rows, row)
    copied.addBytes(Buffer.concat([bytesOf(length), Buffer.from('more')]), length)
  }
  const expected = Buffer.concat(lengths.map((length) => framed(bytesOf(length))))
  expect(written.bytes.equals(expected)).toBe(true)
  expect(copied.bytes.equals(expected)).toBe(true)
  expect(written.count).toBe(lengths.length)
  expect(written.size).toBe(expected.length)
  expect(Array.from(written, (bytes) => bytes.length)).toStrictEqual(lengths)
  expect(Array.from(written).every((bytes, row) => bytes.equals(bytesOf(lengths[row] as number)))).toBe(true)
})

test('numbers are framed as their digits', () => {
  const numbers = [0, 1, 9, 10, 4_294_967_296, 31_556_952_000_000]
  const strings = new BulkStrings(1)
  for (const number of numbers) strings.addNumber(number)
  expect(strings.bytes.toString()).toBe(
    numbers.map((number) => framed(Buffer.from(String(number))).toString()).join(''),
  )
})
