import {createReadStream, createWriteStream} from 'node:fs'
import {pipeline} from 'node:stream/promises'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'

/** S3 as Redshift uses it, past the proxy: these calls are none of the product's, and no faults come to them. */
export class S3Place {
  #client

  /** @param {string} endpoint */
  constructor(endpoint) {
    this.#client = new S3Client({
      endpoint,
      region: 'us-east-1',
      credentials: {accessKeyId: 'redshift', secretAccessKey: 'redshift'},
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    })
  }

  /**
   * @param {string} url `s3://bucket/prefix`
   * @returns {Promise<{url: string, bytes: number}[]>}
   */
  async list(url) {
    const {Bucket, Key: Prefix} = place(url)
    const found = []
    for await (const {Contents = []} of paginateListObjectsV2({client: this.#client}, {Bucket, Prefix}))
      for (const {Key, Size} of Contents) found.push({url: `s3://${Bucket}/${Key}`, bytes: Size})
    return found
  }

  async putFile(url, file, bytes) {
    await this.#put(url, createReadStream(file), bytes)
  }

  async putText(url, text) {
    await this.#put(url, text, Buffer.byteLength(text))
  }

  async getFile(url, file) {
    const {Body} = await this.#client.send(new GetObjectCommand(place(url)))
    await pipeline(Body, createWriteStream(file))
  }

  async getText(url) {
    const {Body} = await this.#client.send(new GetObjectCommand(place(url)))
    return Body.transformToString()
  }

  async remove(url) {
    await this.#client.send(new DeleteObjectCommand(place(url)))
  }

  async #put(url, Body, ContentLength) {
    await this.#client.send(new PutObjectCommand({...place(url), Body, ContentLength}))
  }
}

function place(url) {
  const {Bucket, Key} = /^s3:\/\/(?<Bucket>[^/]+)\/?(?<Key>.*)$/s.exec(url).groups
  return {Bucket, Key}
}
