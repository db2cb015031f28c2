using FailoverHub.Web.Alerts.Channels;
using FailoverHub.Web.Alerts.Conditions;
using FailoverHub.Web.Alerts.Delivery;
using FailoverHub.Web.Alerts.Direct;
using FailoverHub.Web.Alerts.Maintenance;
using FailoverHub.Web.Alerts.Records;
using FailoverHub.Web.Identity;

namespace FailoverHub.Web.Alerts;

/// <summary>Puts the room together. Call it after the hub's core, whose database it needs before it starts.</summary>
internal static class HubAlerts
{
    public static IServiceCollection AddHubAlerts(this IServiceCollection services)
    {
        AlertHttp.Add(services);
        services.AddSingleton<AlertHttp>();
        services.AddSingleton<IAlertSender, WebhookSender>();
        services.AddSingleton<IAlertSender, SlackSender>();
        services.AddSingleton<IAlertSender, PagerDutySender>();
        services.AddSingleton<IAlertSender, MailSender>();
        services.AddSingleton<ChannelSecrets>();
        services.AddSingleton<AlertLinks>();
        services.AddSingleton<AlertSenders>();

        services.AddSingleton<AlertStore>();
        services.AddSingleton<DeliveryStore>();
        services.AddSingleton<AlertSettingsStore>();
        services.AddSingleton<AlertSettings>();
        services.AddSingleton<WatchedRooms>();
        services.AddSingleton<OperationFollowing>();
        services.AddSingleton<AlertSources>();
        services.AddSingleton<AlertDeliverer>();
        services.AddSingleton<ChannelTrial>();
        services.AddSingleton<AlertDesk>();
        services.AddSingleton<IAlerts>(all => all.GetRequiredService<AlertDesk>());
        services.AddSingleton<DirectAlarm>();
        services.AddSingleton<MaintenanceStore>();
        services.AddSingleton<MaintenanceDesk>();
        services.AddSingleton<INodeNames>(all => all.GetRequiredService<MaintenanceStore>());
        services.AddSingleton<INodeNames>(all => all.GetRequiredService<AlertSettingsStore>());
        services.AddSingleton<INodeNames>(all => all.GetRequiredService<AlertStore>());
        services.AddSingleton<IMaintenance>(all => all.GetRequiredService<MaintenanceDesk>());
        services.AddSingleton<AlertRoomTools>();
        services.AddSingleton<AlertRoom>();

        // The room first: the deliverer asks which channels there are.
        services.AddHostedService(all => all.GetRequiredService<AlertRoom>());
        services.AddHostedService(all => all.GetRequiredService<AlertDeliverer>());
        return services;
    }
}
