using System.Security.Cryptography;
using FailoverHub.Web.Alerts.Records;
using Microsoft.AspNetCore.DataProtection;

namespace FailoverHub.Web.Alerts.Channels;

/// <summary>Secrets of channels: closed with the hub's keys, so that the database alone does not give them away, and never shown again.</summary>
internal sealed class ChannelSecrets(IDataProtectionProvider keys, AlertSettingsStore store)
{
    private const string Purpose = "FailoverHub.AlertChannel.v1";

    /// <summary>For the database. Bound to the channel: in another one's row it cannot be opened.</summary>
    public string Close(string channel, string secret) => keys.CreateProtector(Purpose, channel).Protect(secret);

    /// <summary>To send with; null: there is none, or the keys it was closed with are gone.</summary>
    public async Task<string?> OpenAsync(string channel, CancellationToken cancellationToken)
    {
        if (await store.ClosedSecretAsync(channel, cancellationToken) is not { } closed)
        {
            return null;
        }

        try
        {
            return keys.CreateProtector(Purpose, channel).Unprotect(closed);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
