// The npm package mqtt as the clients of a broker: node mqtt-broker.js URL PROTOCOL_VERSION [CA_FILE]
// Runs every scenario that the version has and prints "ok NAME" for each; the first failure ends it with code 1.
'use strict'
const assert = require('node:assert/strict')
const { once } = require('node:events')
const { readFileSync } = require('node:fs')
const mqtt = require('mqtt')

const [url, versionText, caFile] = process.argv.slice(2)
const protocolVersion = Number(versionText)
const five = protocolVersion === 5
const ca = caFile ? readFileSync(caFile) : undefined
const clients = []
let unique = 0

async function connect (options = {}) {
  const client = mqtt.connect(url, {
    protocolVersion, ca, reconnectPeriod: 0, connectTimeout: 20000, keepalive: 60, clientId: `js-${process.pid}-${++unique}`, ...options
  })
  clients.push(client)
  client.inbox = []
  client.on('message', (topic, payload, packet) => {
    client.inbox.push(packet)
    client.emit('inbox')
  })
  client.on('error', () => {})
  const [connack] = await Promise.race([once(client, 'connect'), once(client, 'close').then(() => { throw new Error('not connected') })])
  client.connack = connack
  return client
}

async function received (client, count) {
  while (client.inbox.length < count) await once(client, 'inbox', { signal: AbortSignal.timeout(20000) })
  return client.inbox.splice(0, count)
}

// All that the broker had for this client has been handled when its own message comes back.
async function nothingMore (client) {
  const probe = `probe/${++unique}`
  await client.subscribeAsync(probe, { qos: 0 })
  await client.publishAsync(probe, 'end')
  const [packet] = await received(client, 1)
  assert.equal(packet.topic, probe, `unexpected message on ${packet.topic}`)
  await client.unsubscribeAsync(probe)
}

const name = text => `${text}/${process.pid}/${++unique}`
const texts = packets => packets.map(packet => packet.payload.toString())

const scenarios = {
  async 'messages of every qos arrive once and in order' () {
    const [subscriber, publisher] = [await connect(), await connect()]
    for (const qos of [0, 1, 2]) {
      const topic = name(`qos${qos}`)
      const [granted] = await subscriber.subscribeAsync(`${topic}/#`, { qos })
      assert.equal(granted.qos, qos)
      await Promise.all([...Array(200).keys()].map(i => publisher.publishAsync(`${topic}/x`, String(i), { qos })))
      const packets = await received(subscriber, 200)
      assert.deepEqual(texts(packets), [...Array(200).keys()].map(String))
      assert.ok(packets.every(packet => packet.qos === qos && !packet.retain && !packet.dup))
    }
    await nothingMore(subscriber)
  },

  async 'large binary payload arrives unchanged' () {
    const [subscriber, publisher] = [await connect(), await connect()]
    const payload = Buffer.alloc(300000, 0).map((_, i) => i * 7 + (i >> 8))
    const topic = name('large')
    await subscriber.subscribeAsync(topic, { qos: 2 })
    await publisher.publishAsync(topic, payload, { qos: 2 })
    const [packet] = await received(subscriber, 1)
    assert.ok(packet.payload.equals(payload))
  },

  async 'qos is the lower of published and granted' () {
    const [subscriber, publisher] = [await connect(), await connect()]
    const topic = name('lower')
    await subscriber.subscribeAsync(topic, { qos: 1 })
    for (const qos of [0, 1, 2]) await publisher.publishAsync(topic, 'x', { qos })
    assert.deepEqual((await received(subscriber, 3)).map(packet => packet.qos), [0, 1, 1])
  },

  async 'retained message is kept, replaced and deleted' () {
    const publisher = await connect()
    const topic = name('retained')
    await publisher.publishAsync(topic, 'old', { qos: 1, retain: true })
    await publisher.publishAsync(topic, 'new', { qos: 1, retain: true })
    const late = await connect()
    await late.subscribeAsync(topic, { qos: 1 })
    const [packet] = await received(late, 1)
    assert.deepEqual([packet.payload.toString(), packet.retain], ['new', true])
    await publisher.publishAsync(topic, '', { qos: 1, retain: true })
    const [live] = await received(late, 1)
    assert.deepEqual([live.payload.length, live.retain], [0, false])
    const later = await connect()
    await later.subscribeAsync(topic)
    await nothingMore(later)
  },

  async 'will of a lost client is published, that of a leaving one is not' () {
    const watcher = await connect()
    const topic = name('will')
    await watcher.subscribeAsync(`${topic}/#`, { qos: 1 })
    const lost = await connect({ will: { topic: `${topic}/lost`, payload: 'gone', qos: 1 } })
    const leaving = await connect({ will: { topic: `${topic}/leaving`, payload: 'gone', qos: 1 } })
    await leaving.endAsync()
    lost.stream.destroy()
    const [packet] = await received(watcher, 1)
    assert.equal(packet.topic, `${topic}/lost`)
    await nothingMore(watcher)
  },

  async 'second client of an identifier takes over' () {
    const clientId = name('same').replaceAll('/', '-')
    const first = await connect({ clientId })
    const told = []
    first.on('disconnect', packet => told.push(packet.reasonCode))
    const closed = once(first, 'close')
    const second = await connect({ clientId })
    await closed
    assert.deepEqual(told, five ? [0x8e] : [])
    await nothingMore(second)
  },

  async 'client that lost its connection reconnects and gets what came meanwhile' () {
    const publisher = await connect()
    const topic = name('kept')
    const session = five ? { clean: false, properties: { sessionExpiryInterval: 100 } } : { clean: false }
    const client = await connect({ ...session, reconnectPeriod: 300 })
    assert.equal(client.connack.sessionPresent, false)
    await client.subscribeAsync(topic, { qos: 2 })
    client.stream.destroy()
    await once(client, 'close')
    for (const qos of [1, 2]) await publisher.publishAsync(topic, `while away ${qos}`, { qos })
    const [connack] = await once(client, 'connect')
    assert.equal(connack.sessionPresent, true)
    assert.deepEqual(texts(await received(client, 2)), ['while away 1', 'while away 2'])
  },

  async 'unsubscribed client gets nothing more' () {
    const client = await connect()
    const topic = name('unsubscribed')
    await client.subscribeAsync([`${topic}/+`, `${topic}/a`], { qos: 1 })
    await client.publishAsync(`${topic}/a`, '1', { qos: 1 })
    assert.deepEqual(texts(await received(client, 1)), ['1'])
    await client.unsubscribeAsync([`${topic}/+`, `${topic}/a`])
    await client.publishAsync(`${topic}/a`, '2', { qos: 1 })
    await nothingMore(client)
  },

  async 'retained messages of many topics all reach a wildcard' () {
    const publisher = await connect()
    const topic = name('many')
    await Promise.all([...Array(300).keys()].map(i => publisher.publishAsync(`${topic}/${i}`, String(i), { qos: 1, retain: true })))
    const late = await connect()
    await late.subscribeAsync(`${topic}/#`, { qos: 1 })
    const packets = await received(late, 300)
    assert.ok(packets.every(packet => packet.retain && packet.topic === `${topic}/${packet.payload}`))
    assert.equal(new Set(texts(packets)).size, 300)
    await Promise.all([...Array(300).keys()].map(i => publisher.publishAsync(`${topic}/${i}`, '', { qos: 1, retain: true })))
  },

  async 'qos 2 arrives once although the connection is cut again and again' () {
    const topic = name('once')
    const session = five ? { clean: false, properties: { sessionExpiryInterval: 100 } } : { clean: false }
    const subscriber = await connect()
    await subscriber.subscribeAsync(topic, { qos: 2 })
    const publisher = await connect({ ...session, reconnectPeriod: 20 })
    const sent = []
    for (let round = 0; round < 10; round++) {
      for (let i = 0; i < 20; i++) sent.push(publisher.publishAsync(topic, String(round * 20 + i), { qos: 2 }))
      await new Promise(resolve => setImmediate(resolve))
      const closed = once(publisher, 'close')
      publisher.stream.destroy()
      await closed
      await once(publisher, 'connect')
    }
    await Promise.all(sent)
    const numbers = texts(await received(subscriber, 200)).map(Number)
    assert.deepEqual(numbers.sort((a, b) => a - b), [...Array(200).keys()])
    await nothingMore(subscriber)
  },

  async 'clients that are all cut at once all come back' () {
    const topic = name('storm')
    const all = []
    for (let i = 0; i < 50; i++) all.push(await connect({ reconnectPeriod: 20 }))
    await Promise.all(all.map((client, i) => client.subscribeAsync(`${topic}/${i}`, { qos: 1 })))
    const back = all.map(client => once(client, 'connect'))
    for (const client of all) client.stream.destroy()
    await Promise.all(back)
    const publisher = await connect()
    // The package subscribes again by itself; until it has, its message may find nobody.
    await Promise.all(all.map(async (client, i) => {
      while (client.inbox.length === 0) {
        await publisher.publishAsync(`${topic}/${i}`, 'again', { qos: 1 })
        await new Promise(resolve => setImmediate(resolve))
      }
    }))
  },

  async 'shared subscription gives each message to one member' () {
    const members = [await connect(), await connect(), await connect()]
    const publisher = await connect()
    const topic = name('shared')
    for (const member of members) await member.subscribeAsync(`$share/g/${topic}/+`, { qos: 1 })
    const plain = await connect()
    await plain.subscribeAsync(`${topic}/#`, { qos: 1 })
    await Promise.all([...Array(90).keys()].map(i => publisher.publishAsync(`${topic}/x`, String(i), { qos: 1 })))
    await received(plain, 90)
    const all = []
    for (const member of members) {
      const own = await received(member, 30)
      all.push(...texts(own).map(Number))
      await nothingMore(member)
    }
    assert.deepEqual(all.sort((a, b) => a - b), [...Array(90).keys()])
  }
}

const scenariosOfFive = {
  async 'properties arrive unchanged and in order' () {
    const [subscriber, publisher] = [await connect(), await connect()]
    const topic = name('properties')
    await subscriber.subscribeAsync(topic, { qos: 1, properties: { subscriptionIdentifier: 77 } })
    await publisher.publishAsync(topic, 'ä', {
      qos: 1,
      properties: {
        payloadFormatIndicator: true,
        messageExpiryInterval: 3600,
        contentType: 'text/plain',
        responseTopic: 'answers/here',
        correlationData: Buffer.from([0, 1, 255]),
        userProperties: { b: ['2', '1'], a: '3' }
      }
    })
    const [{ properties }] = await received(subscriber, 1)
    assert.equal(properties.payloadFormatIndicator, true)
    assert.equal(properties.messageExpiryInterval, 3600)
    assert.equal(properties.contentType, 'text/plain')
    assert.equal(properties.responseTopic, 'answers/here')
    assert.deepEqual([...properties.correlationData], [0, 1, 255])
    assert.deepEqual({ ...properties.userProperties }, { b: ['2', '1'], a: '3' })
    assert.equal(properties.subscriptionIdentifier, 77)
  },

  async 'overlapping subscriptions give one copy with every identifier' () {
    const client = await connect()
    const topic = name('overlap')
    await client.subscribeAsync(`${topic}/#`, { qos: 0, properties: { subscriptionIdentifier: 1 } })
    await client.subscribeAsync(`${topic}/+`, { qos: 2, properties: { subscriptionIdentifier: 2 } })
    await client.publishAsync(`${topic}/x`, 'x', { qos: 2 })
    const [packet] = await received(client, 1)
    assert.equal(packet.qos, 2)
    assert.deepEqual([packet.properties.subscriptionIdentifier].flat().sort(), [1, 2])
    await nothingMore(client)
  },

  async 'subscription options are obeyed' () {
    const client = await connect()
    const topic = name('options')
    await client.publishAsync(topic, 'kept', { qos: 1, retain: true })
    await client.subscribeAsync(topic, { qos: 1, rh: 2 })
    await client.subscribeAsync(topic, { qos: 1, rh: 1 })
    await client.subscribeAsync(topic, { qos: 1, rh: 2, nl: true })
    await client.publishAsync(topic, 'own', { qos: 1 })
    await nothingMore(client)
    await client.subscribeAsync(topic, { qos: 1, rh: 0, rap: true })
    assert.deepEqual(texts(await received(client, 1)), ['kept'])
    await client.publishAsync(topic, 'again', { qos: 1, retain: true })
    const [packet] = await received(client, 1)
    assert.deepEqual([packet.payload.toString(), packet.retain], ['again', true])
    await client.publishAsync(topic, '', { qos: 1, retain: true })
  },

  async 'topic aliases shorten both directions' () {
    const [subscriber, publisher] = [
      await connect({ properties: { topicAliasMaximum: 3 } }), await connect({ autoUseTopicAlias: true, autoAssignTopicAlias: true })]
    assert.ok(publisher.connack.properties.topicAliasMaximum > 0)
    const topic = name('a/topic/long/enough/to/be/worth/an/alias')
    const raw = []
    subscriber.on('packetreceive', packet => { if (packet.cmd === 'publish') raw.push([packet.topic.length > 0, packet.properties?.topicAlias]) })
    await subscriber.subscribeAsync(topic, { qos: 1 })
    for (let i = 0; i < 3; i++) await publisher.publishAsync(topic, String(i), { qos: 1 })
    const packets = await received(subscriber, 3)
    assert.deepEqual(texts(packets), ['0', '1', '2'])
    const alias = raw[0][1]
    assert.ok(alias >= 1 && alias <= 3, `alias ${alias}`)
    assert.deepEqual(raw.map(([, number]) => number), [alias, alias, alias])
  },

  async 'reason codes tell what happened' () {
    const client = await connect({ clientId: '', clean: true })
    assert.match(client.connack.properties.assignedClientIdentifier, /./)
    const acks = []
    client.on('packetreceive', packet => { if (packet.cmd === 'puback') acks.push(packet.reasonCode ?? 0) })
    const topic = name('reasons')
    await client.publishAsync(topic, 'nobody', { qos: 1 })
    await client.subscribeAsync(topic, { qos: 1 })
    await client.publishAsync(topic, 'somebody', { qos: 1 })
    await received(client, 1)
    assert.deepEqual(acks, [0x10, 0])
    const [unsuback] = await Promise.all([once(client, 'packetreceive'), client.unsubscribeAsync(name('never')).catch(() => {})])
    assert.equal(unsuback[0].granted?.[0] ?? unsuback[0].reasonCode, 0x11)
    const refused = []
    client.on('packetreceive', packet => { if (packet.cmd === 'puback') refused.push(packet.reasonCode) })
    await client.publishAsync('$SYS/mine', 'x', { qos: 1 }).catch(() => {})
    assert.deepEqual(refused, [0x87])
  },

  async 'receive maximum of a client is never exceeded' () {
    const publisher = await connect()
    const topic = name('window')
    const slow = await connect({ properties: { receiveMaximum: 2 } })
    let open = 0
    let most = 0
    slow.handleMessage = (packet, done) => {
      most = Math.max(most, ++open)
      setImmediate(() => { open--; done() })
    }
    await slow.subscribeAsync(topic, { qos: 1 })
    await Promise.all([...Array(50).keys()].map(i => publisher.publishAsync(topic, String(i), { qos: 1 })))
    assert.deepEqual(texts(await received(slow, 50)), [...Array(50).keys()].map(String))
    assert.ok(most <= 2)
  },

  async 'delayed will is cancelled by a reconnect' () {
    const watcher = await connect()
    const topic = name('delayed')
    await watcher.subscribeAsync(topic)
    const clientId = name('delayed').replaceAll('/', '-')
    const options = {
      clientId,
      clean: false,
      properties: { sessionExpiryInterval: 100 },
      will: { topic, payload: 'late', qos: 0, properties: { willDelayInterval: 50 } }
    }
    const first = await connect(options)
    first.stream.destroy()
    await once(first, 'close')
    const second = await connect(options)
    assert.equal(second.connack.sessionPresent, true)
    await second.endAsync()
    await nothingMore(watcher)
  },

  async 'will carries its properties' () {
    const watcher = await connect()
    const topic = name('will')
    await watcher.subscribeAsync(topic, { qos: 2 })
    const lost = await connect({
      will: {
        topic,
        payload: 'gone',
        qos: 2,
        properties: { contentType: 'text/plain', responseTopic: 'answers', messageExpiryInterval: 60, correlationData: Buffer.from('7'), userProperties: { a: '1' } }
      }
    })
    lost.stream.destroy()
    const [packet] = await received(watcher, 1)
    assert.deepEqual([packet.qos, packet.payload.toString(), packet.properties.contentType, packet.properties.responseTopic], [2, 'gone', 'text/plain', 'answers'])
    assert.deepEqual([packet.properties.messageExpiryInterval, packet.properties.correlationData.toString(), packet.properties.userProperties.a], [60, '7', '1'])
  },

  async 'client that leaves with its will has it published' () {
    const watcher = await connect()
    const topic = name('will')
    await watcher.subscribeAsync(topic)
    const leaving = await connect({ will: { topic, payload: 'gone', qos: 0 } })
    await leaving.endAsync({ reasonCode: 4 })
    assert.deepEqual(texts(await received(watcher, 1)), ['gone'])
  },

  async 'session that is ended at DISCONNECT is gone' () {
    const clientId = name('ended').replaceAll('/', '-')
    const options = { clientId, clean: false, properties: { sessionExpiryInterval: 100 } }
    await (await connect(options)).endAsync()
    const kept = await connect(options)
    assert.equal(kept.connack.sessionPresent, true)
    await kept.endAsync({ properties: { sessionExpiryInterval: 0 } })
    assert.equal((await connect(options)).connack.sessionPresent, false)
  },

  async 'request is answered on its response topic' () {
    const [asker, answerer] = [await connect(), await connect()]
    const [question, answer] = [name('question'), name('answer')]
    answerer.on('message', (topic, payload, packet) => answerer.publish(
      packet.properties.responseTopic, `re: ${payload}`, { qos: 1, properties: { correlationData: packet.properties.correlationData } }))
    await answerer.subscribeAsync(question, { qos: 1 })
    await asker.subscribeAsync(answer, { qos: 1 })
    await asker.publishAsync(question, 'how?', { qos: 1, properties: { responseTopic: answer, correlationData: Buffer.from('7') } })
    const [packet] = await received(asker, 1)
    assert.deepEqual([packet.payload.toString(), packet.properties.correlationData.toString()], ['re: how?', '7'])
  },

  async 'packet larger than allowed ends the connection with its reason' () {
    const client = await connect({ properties: { maximumPacketSize: 1000 } })
    const publisher = await connect()
    const topic = name('size')
    await client.subscribeAsync(topic, { qos: 1 })
    await publisher.publishAsync(topic, Buffer.alloc(2000), { qos: 1 })
    await publisher.publishAsync(topic, 'small', { qos: 1 })
    assert.deepEqual(texts(await received(client, 1)), ['small'])
    const maximum = publisher.connack.properties.maximumPacketSize
    const told = once(publisher, 'disconnect')
    publisher.connackProperties = undefined
    publisher.stream.write(Buffer.concat([Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]), Buffer.alloc(100)]))
    assert.ok(maximum < 0x0fffffff)
    assert.equal((await told)[0].reasonCode, 0x95)
  }
}

async function main () {
  for (const [title, run] of Object.entries({ ...scenarios, ...(five ? scenariosOfFive : {}) })) {
    try {
      await run()
    } catch (error) {
      console.log(`failed ${title}: ${error.stack}`)
      process.exit(1)
    }
    console.log(`ok ${title}`)
    for (const client of clients.splice(0)) client.end(true)
  }
  console.log(`all passed over ${url}`)
  process.exit(0)
}

main()
