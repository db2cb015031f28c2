using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Data;

/// <summary>How alerts, their rules, channels and messages stand in the database.</summary>
internal static class AlertTables
{
    public static void Configure(ModelBuilder model)
    {
        model.Entity<AlertRuleEntity>(e =>
        {
            e.ToTable("AlertRules");
            e.HasKey(r => r.Id);
            e.HasIndex(r => r.Name).IsUnique();
            e.Property(r => r.Revision).IsConcurrencyToken();
        });
        model.Entity<AlertChannelEntity>(e =>
        {
            e.ToTable("AlertChannels");
            e.HasKey(c => c.Id);
            e.HasIndex(c => c.Name).IsUnique();
            e.Property(c => c.Revision).IsConcurrencyToken();
        });
        model.Entity<AlertEntity>(e =>
        {
            e.ToTable("Alerts");
            e.HasKey(a => a.Id);
            e.HasIndex(a => new { a.RuleId, a.Subject }).IsUnique().HasFilter("\"ResolvedAtMs\" IS NULL");
            e.HasIndex(a => a.ResolvedAtMs);
            e.HasIndex(a => new { a.Pair, a.Id });
            e.HasIndex(a => new { a.Node, a.Id });
        });
        model.Entity<AlertShelfEntity>(e =>
        {
            e.ToTable("AlertShelves");
            e.HasKey(s => new { s.RuleId, s.Subject });
        });
        model.Entity<AlertDeliveryEntity>(e =>
        {
            e.ToTable("AlertDeliveries");
            e.HasKey(d => d.Id);
            e.HasIndex(d => new { d.State, d.ChannelId });
            e.HasIndex(d => new { d.ChannelId, d.Id });
            e.HasIndex(d => d.AlertId);
            e.HasIndex(d => d.SummaryId);
            e.HasIndex(d => d.LastAttemptAtMs);
        });
        model.Entity<MaintenanceWindowEntity>(e =>
        {
            e.ToTable("MaintenanceWindows");
            e.HasKey(w => w.Id);
            e.HasIndex(w => w.ToMs);
        });
    }
}
