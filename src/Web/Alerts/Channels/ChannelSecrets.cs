using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using FailoverHub.Web.Alerts.Records;
using FailoverHub.Web.Data;
using Microsoft.AspNetCore.DataProtection;

namespace FailoverHub.Web.Alerts.Channels;

/// <summary>What of a channel is never shown again.</summary>
/// <param name="Url">The whole address of a webhook or of Slack, null: it has none.</param>
/// <param name="Key">Key of the signature (webhook), password (mail) or routing key (PagerDuty), null: it has none.</param>
internal sealed record ChannelSecret(string? Url = null, string? Key = null)
{
    public static ChannelSecret None { get; } = new();

    public bool IsEmpty => Url is null && Key is null;

    /// <summary>Nothing of it may get into a log by mistake.</summary>
    public override string ToString() => nameof(ChannelSecret);
}

/// <summary>
/// Secrets of channels: closed with the hub's keys, so that the database alone does not give them away. The closed text of each is kept in memory too, for the one message that is
/// sent while the database is away.
/// </summary>
internal sealed class ChannelSecrets(IDataProtectionProvider keys, AlertSettingsStore store)
{
    private const string Purpose = "FailoverHub.AlertChannel.v2";

    /// <summary>Of hubs that kept only the key closed, and the address of a webhook in the open.</summary>
    private const string OlderPurpose = "FailoverHub.AlertChannel.v1";

    private readonly ConcurrentDictionary<string, string> _closed = [];

    /// <summary>For the database. Bound to the channel: in another one's row it cannot be opened.</summary>
    public string Close(string channel, ChannelSecret secret) => keys.CreateProtector(Purpose, channel).Protect(JsonSerializer.Serialize(secret));

    /// <summary>What has just been written for a channel, null: it has none any more.</summary>
    public void Learn(string channel, string? closed)
    {
        if (closed is null)
        {
            _closed.TryRemove(channel, out _);
        }
        else
        {
            _closed[channel] = closed;
        }
    }

    /// <summary>To send with; null: there is none, or the keys it was closed with are gone.</summary>
    public async Task<ChannelSecret?> OpenAsync(string channel, CancellationToken cancellationToken)
    {
        string? closed;
        try
        {
            closed = await store.ClosedSecretAsync(channel, cancellationToken);
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e) && _closed.TryGetValue(channel, out string? known))
        {
            return Open(Purpose, channel, known) is { } kept ? JsonSerializer.Deserialize<ChannelSecret>(kept) : null;
        }

        Learn(channel, closed);
        return closed is not null && Open(Purpose, channel, closed) is { } open ? JsonSerializer.Deserialize<ChannelSecret>(open) : null;
    }

    /// <summary>Closes what an older hub kept in the open, and learns all secrets in their closed form; once, before anybody sends.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await store.RewriteChannelsAsync(Upgrade, cancellationToken);
        foreach (AlertChannel channel in await store.ChannelsAsync(cancellationToken))
        {
            if (channel.HasSecret)
            {
                await OpenAsync(channel.Id, cancellationToken);
            }
        }
    }

    private bool Upgrade(AlertChannelEntity row)
    {
        JsonObject definition = JsonNode.Parse(row.DefinitionJson)!.AsObject();
        if (definition.ContainsKey("origin"))
        {
            return false;
        }

        // Its type says what the one older secret was. Where the keys are gone an address in the open is taken away all the same: the channel says that it has to be given again.
        AlertChannel channel = AlertRecords.ToChannel(row);
        string? older = row.ClosedSecret is { } closed ? Open(OlderPurpose, row.Id, closed) : null;
        string? url = (string?)definition["url"];
        ChannelSecret secret = channel.Type switch
        {
            AlertChannelType.Webhook => new ChannelSecret(url, older),
            AlertChannelType.Slack => new ChannelSecret(older),
            _ => new ChannelSecret(null, older),
        };
        string? address = channel.Type == AlertChannelType.Slack ? older : url;
        channel = channel with
        {
            Origin = ChannelAddress.IsWeb(address) ? ChannelAddress.OriginOf(address!) : null,
            Mark = ChannelAddress.IsWeb(address) && channel.Type != AlertChannelType.PagerDuty ? ChannelAddress.MarkOf(address!) : null,
        };
        row.DefinitionJson = AlertRecords.ToJson(channel);
        row.ClosedSecret = secret.IsEmpty ? row.ClosedSecret : Close(row.Id, secret);
        return true;
    }

    private string? Open(string purpose, string channel, string closed)
    {
        try
        {
            return keys.CreateProtector(purpose, channel).Unprotect(closed);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
