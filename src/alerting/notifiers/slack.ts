import { urlFrom } from '#base';
import { type Message, plainLines } from '../message.ts';
import type { NotifierHow } from '../settings.ts';
import { deliveryOf, type NotifierPorts, type Send } from './notifier.ts';

const marks = {
  page: ':rotating_light:',
  updated: ':mag:',
  acknowledged: ':raising_hand:',
  resolved: ':white_check_mark:',
  test: ':wave:',
};
const sectionMax = 2_900;

/** An incoming webhook: `text` for notifications, `blocks` for the channel. It knows no keys, so a repeat shows. */
export function slack({ url }: NotifierHow & { kind: 'slack' }, { post, secret }: NotifierPorts): Send {
  return async (message, signal) => {
    const headers = { 'content-type': 'application/json' };
    return deliveryOf(
      await post({ url: urlFrom(url, secret), headers, body: JSON.stringify(slackBody(message)) }, signal),
    );
  };
}

export function slackBody(message: Message) {
  const title = `${marks[message.what]} *${escaped(message.title)}*`;
  const text = plainLines(message).map(escaped).join('\n').slice(0, sectionMax);
  const who = message.person === null ? '' : ` for ${escaped(message.person)}`;
  return {
    text: escaped(message.title),
    blocks: [
      { type: 'section', text: { type: 'mrkdwn', text: title } },
      { type: 'section', text: { type: 'mrkdwn', text: text || ' ' } },
      {
        type: 'context',
        elements: [{ type: 'mrkdwn', text: `${escaped(message.severity)}${who}, ${escaped(message.page)}` }],
      },
    ],
  };
}

/** Slack's three: nothing that came from outside becomes a mention or a link. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
