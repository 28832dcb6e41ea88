// A bot in another language. Written from docs/wire-format.md alone: it knows nothing else of memlane.
//
//   node bot.mjs store USER KEY JSON [NAMESPACE]     node bot.mjs get USER KEY [NAMESPACE [MIN_VERSION]]
//   node bot.mjs delete USER KEY                     node bot.mjs ask QUESTION...    (each as JSON)
//   node bot.mjs publish COMMAND...                  node bot.mjs versions COUNT [MILLISECONDS]
//
// The broker's URL is in AMQP_URL, the sinks to wait for in SINKS (sqlite,redis). Prints one line of JSON.

import amqplib from "amqplib";
import { randomBytes, randomUUID } from "node:crypto";

const REPLY_TO = "amq.rabbitmq.reply-to";
const DEADLINE_MS = 5000;
const MAX_TAIL = (1n << 74n) - 1n;
const FIVE_MINUTES = 5 * 60 * 1000;

const random = (bits) => BigInt(`0x${randomBytes(10).toString("hex")}`) & ((1n << BigInt(bits)) - 1n);

/** Strictly rising UUIDv7s, past every version that was seen. */
export class Clock {
  constructor(now = Date.now) {
    this.now = now;
    this.ms = -1;
    this.tail = 0n;
  }

  next() {
    const now = this.now();
    if (now > this.ms) {
      [this.ms, this.tail] = [now, random(73)];
    } else {
      const step = 1n + random(32);
      [this.ms, this.tail] = this.tail + step > MAX_TAIL ? [this.ms + 1, step] : [this.ms, this.tail + step];
    }
    return Clock.text(this.ms, this.tail);
  }

  saw(version) {
    const digits = version.replaceAll("-", "");
    const ms = parseInt(digits.slice(0, 12), 16);
    const tail = (BigInt(`0x${digits.slice(13, 16)}`) << 62n) | (BigInt(`0x${digits.slice(16)}`) & ((1n << 62n) - 1n));
    if (ms > this.now() + FIVE_MINUTES) return;
    if (ms > this.ms || (ms === this.ms && tail > this.tail)) [this.ms, this.tail] = [ms, tail];
  }

  static text(ms, tail) {
    const time = ms.toString(16).padStart(12, "0");
    const high = (tail >> 62n).toString(16).padStart(3, "0");
    const low = ((0b10n << 62n) | (tail & ((1n << 62n) - 1n))).toString(16);
    return `${time.slice(0, 8)}-${time.slice(8)}-7${high}-${low.slice(0, 4)}-${low.slice(4)}`;
  }
}

/** One connection: commands on a channel with confirms, questions on one without. */
export class Memory {
  static async connect(url) {
    const memory = new Memory();
    memory.clock = new Clock();
    memory.account = decodeURIComponent(new URL(url).username);
    memory.appId = `bot-${randomUUID()}`;
    memory.replies = new Map();
    memory.receipts = [];
    memory.connection = await amqplib.connect(url);
    memory.commands = await memory.connection.createConfirmChannel();
    memory.questions = await memory.connection.createChannel();
    await memory.commands.consume(REPLY_TO, (message) => memory.onReceipts(message), { noAck: true });
    await memory.questions.consume(REPLY_TO, (message) => memory.onReply(message), { noAck: true });
    return memory;
  }

  async close() {
    await this.connection.close();
  }

  /** Publishes commands; resolves with what each of the sinks decided about each version. */
  async publish(commands, sinks) {
    const decided = this.waitForReceipts(commands.map((command) => command.id), sinks);
    await new Promise((resolve, reject) => {
      const body = Buffer.from(JSON.stringify({ schema: 1, commands }));
      const properties = { contentType: "application/json", persistent: true, mandatory: true, messageId: randomUUID(),
                           userId: this.account, appId: this.appId, replyTo: REPLY_TO };
      this.commands.publish("memlane.commands", "", body, properties, (error) => (error ? reject(error) : resolve()));
    });
    return decided;
  }

  waitForReceipts(versions, sinks) {
    const found = Object.fromEntries(versions.map((version) => [version, {}]));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no receipts in time: ${JSON.stringify(found)}`)), DEADLINE_MS);
      this.receipts.push(({ sink, receipts }) => {
        for (const receipt of receipts) if (receipt.id in found) found[receipt.id][sink] = receipt;
        if (!versions.every((version) => sinks.every((name) => name in found[version]))) return;
        clearTimeout(timer);
        resolve(found);
      });
    });
  }

  /** Asks; resolves with the answers. */
  ask(questions) {
    return new Promise((resolve, reject) => {
      const correlationId = randomUUID();
      const timer = setTimeout(() => reject(new Error("no reply: nobody could say")), DEADLINE_MS + 500);
      this.replies.set(correlationId, (answers) => {
        clearTimeout(timer);
        this.replies.delete(correlationId);
        const [first] = answers;
        if (first.type === "refused") reject(new Error(`${first.field}: ${first.problem}`));
        else resolve(answers);
      });
      const body = Buffer.from(JSON.stringify({ schema: 1, deadline_ms: DEADLINE_MS, questions }));
      const properties = { contentType: "application/json", correlationId, replyTo: REPLY_TO, expiration: `${DEADLINE_MS}` };
      this.questions.publish("memlane.queries", "", body, properties);
    });
  }

  onReceipts(message) {
    const envelope = JSON.parse(message.content.toString());
    for (const { newer } of envelope.receipts) if (newer) this.clock.saw(newer);
    for (const take of this.receipts) take(envelope);
  }

  onReply(message) {
    const { answers } = JSON.parse(message.content.toString());
    for (const answer of answers) if (answer.version) this.clock.saw(answer.version);
    this.replies.get(message.properties.correlationId)?.(answers);
  }
}

async function run(memory, sinks, [verb, ...rest]) {
  const id = memory.clock.next();
  switch (verb) {
    case "store": {
      const [user_id, key, value, namespace = "default"] = rest;
      const command = { type: "store", id, user_id, namespace, key, value: JSON.parse(value) };
      return { version: id, sinks: (await memory.publish([command], sinks))[id] };
    }
    case "delete": {
      const [user_id, key] = rest;
      const command = { type: "delete", id, scope: "address", user_id, key };
      return { version: id, sinks: (await memory.publish([command], sinks))[id] };
    }
    case "publish":
      return memory.publish(rest.map((command) => ({ id: memory.clock.next(), ...JSON.parse(command) })), sinks);
    case "get": {
      const [user_id, key, namespace = "default", min_version = null] = rest;
      return (await memory.ask([{ type: "get", user_id, namespace, key, min_version }]))[0];
    }
    case "ask":
      return memory.ask(rest.map((question) => JSON.parse(question)));
    default:
      throw new Error(`no such verb: ${verb}`);
  }
}

const [verb, ...rest] = process.argv.slice(2);
if (verb === "versions") {
  const [count, ms] = rest;
  const clock = new Clock(ms ? () => Number(ms) : Date.now);
  console.log(JSON.stringify(Array.from({ length: Number(count) }, () => clock.next())));
} else {
  const memory = await Memory.connect(process.env.AMQP_URL);
  try {
    console.log(JSON.stringify(await run(memory, process.env.SINKS.split(","), [verb, ...rest])));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  } finally {
    await memory.close();
  }
}
