using FailoverHub.Web.Alerts.Delivery;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Alerts.Channels;

/// <summary>Test messages that people ask for: audited first, then sent at once and once. They count for no limit, since nobody presses that often.</summary>
internal sealed class ChannelTrial(AlertSettings settings, AlertDeliverer deliverer, AuditLog audit)
{
    public const string Action = "alert-channel-tested";

    /// <summary>Sends one; the answer says how it went.</summary>
    public async Task<SettingResult<DeliveryRecord>> RunAsync(string id, Actor actor, CancellationToken cancellationToken)
    {
        if (settings.FindChannel(id) is not { } channel)
        {
            return new SettingResult<DeliveryRecord>.NotFound($"There is no alert channel with the id '{id}'.");
        }

        try
        {
            await audit.WriteAsync(new AuditDraft { Actor = actor, Action = Action, Target = $"alert channel {channel.Name}", Outcome = "accepted" }, cancellationToken);
            return new SettingResult<DeliveryRecord>.Done(await deliverer.TestAsync(channel, actor.Name, cancellationToken));
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            return new SettingResult<DeliveryRecord>.NotWritten($"The audit or the log of deliveries cannot be written ({e.GetBaseException().Message}).");
        }
    }
}
