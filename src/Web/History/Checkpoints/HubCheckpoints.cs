using FailoverHub.Web.Data;

namespace FailoverHub.Web.History.Checkpoints;

/// <summary>Puts the signing of the audit together, for the hub and for its commands.</summary>
internal static class HubCheckpoints
{
    /// <exception cref="DataFolderException">On first use: the key is damaged.</exception>
    public static IServiceCollection AddAuditCheckpoints(this IServiceCollection services) => services
        .AddSingleton(all => AuditKey.LoadOrCreate(all.GetRequiredService<DataFolder>().Path))
        .AddSingleton<AuditCheckpoints>()
        .AddSingleton<StoredChain>()
        .AddSingleton<ChainExport>();
}
