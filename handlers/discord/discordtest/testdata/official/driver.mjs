// A small bot on discord.js, which the tests run against the fake. It says what happens to it as
// lines of JSON, and ends when its standard input does.
//
// usage: node driver.mjs FOLDER API TOKEN; node_modules lies in FOLDER
import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, api, token] = process.argv.slice(2);
const require = createRequire(join(folder, "package.json"));
const { Client, Events, GatewayIntentBits, Partials, ActionRowBuilder, ButtonBuilder, ButtonStyle, ModalBuilder, MessageFlags, StringSelectMenuBuilder, TextInputBuilder, TextInputStyle, EmbedBuilder } = require("discord.js");

const say = (what, more = {}) => process.stdout.write(JSON.stringify({ what, ...more }) + "\n");
const client = new Client({
  intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages, GatewayIntentBits.DirectMessages],
  partials: [Partials.Channel],
  rest: { api, version: "10" },
});
client.on(Events.Debug, (m) => process.stderr.write(m + "\n"));
client.on(Events.Error, (e) => say("error", { message: String(e) }));
client.on(Events.ShardResume, (_, replayed) => say("resumed", { replayed }));
client.on(Events.ShardDisconnect, (event) => say("disconnected", { code: event.code }));
client.on(Events.Invalidated, () => say("invalidated"));

client.once(Events.ClientReady, async (c) => {
  const commands = await c.application.commands.set([
    { name: "backup", description: "Backups", options: [
      { type: 1, name: "start", description: "Start a backup", options: [
        { type: 3, name: "source", description: "What to back up", required: true, autocomplete: true },
        { type: 6, name: "person", description: "Whom to tell" },
      ] },
      { type: 1, name: "restore", description: "Restore an archive" },
    ] },
  ]);
  say("ready", { tag: c.user.tag, guilds: c.guilds.cache.map((g) => g.name), channels: c.channels.cache.size, commands: commands.size });
});

const row = (...parts) => new ActionRowBuilder().addComponents(...parts);

client.on(Events.InteractionCreate, async (i) => {
  try {
    if (i.isAutocomplete()) {
      await i.respond(["docs", "mail"].filter((n) => n.startsWith(i.options.getFocused())).map((n) => ({ name: n, value: n })));
    } else if (i.isChatInputCommand() && i.options.getSubcommand() === "start") {
      await i.deferReply();
      await i.editReply({
        content: `Started ${i.options.getString("source")}.`,
        embeds: [new EmbedBuilder().setTitle("Run 1").addFields({ name: "Asked by", value: i.user.username })],
        components: [
          row(new ButtonBuilder().setCustomId("backup cancel 1").setLabel("Cancel").setStyle(ButtonStyle.Danger)),
          row(new StringSelectMenuBuilder().setCustomId("pick").setPlaceholder("Pick").addOptions({ label: "One", value: "1" }, { label: "Two", value: "2" })),
        ],
      });
      await i.followUp({ content: `Only ${i.options.getUser("person")?.username} sees this.`, flags: MessageFlags.Ephemeral });
    } else if (i.isChatInputCommand()) {
      const text = new TextInputBuilder().setCustomId("why").setLabel("Why?").setStyle(TextInputStyle.Short);
      await i.showModal(new ModalBuilder().setCustomId("restore").setTitle("Restore").addComponents(row(text)));
    } else if (i.isModalSubmit()) {
      await i.reply({ content: `Because ${i.fields.getTextInputValue("why")}.`, flags: MessageFlags.Ephemeral });
    } else if (i.isStringSelectMenu()) {
      await i.deferUpdate();
      await i.editReply({ content: `Picked ${i.values}.` });
    } else if (i.isButton()) {
      await i.update({ content: "Cancelled.", embeds: [], components: [] });
    }
  } catch (e) {
    say("error", { message: String(e) });
  }
});

// In direct messages the answer has a picture, in an embed.
const picture = (m) => (m.channel.isDMBased() ? {
  files: [{ attachment: Buffer.from("\x89PNG", "latin1"), name: "report.png", description: "a picture" }],
  embeds: [{ description: "below", image: { url: "attachment://report.png" } }],
} : {});

client.on(Events.MessageCreate, async (m) => {
  if (m.author.bot) return;
  try {
    const twice = [];
    for (let n = 0; n < 2; n++) twice.push((await m.channel.send({ content: `You said ${m.content}`, nonce: "once", enforceNonce: true, allowedMentions: { parse: [] }, ...picture(m) })).id);
    say("posted", { ids: twice, dm: m.channel.isDMBased() });
  } catch (e) {
    say("error", { message: String(e), code: e.code });
  }
});

process.stdin.on("end", () => client.destroy().then(() => process.exit(0))).resume();
await client.login(token).catch((e) => {
  say("refused", { message: String(e) });
  process.exit(0);
});
