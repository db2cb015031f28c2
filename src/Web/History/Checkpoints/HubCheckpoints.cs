using FailoverHub.Web.Data;

namespace FailoverHub.Web.History.Checkpoints;

/// <summary>Puts the signing of the audit together, for the hub and for its commands.</summary>
internal static class HubCheckpoints
{
    /// <exception cref="DataFolderException">On first use: the key is damaged, or what it is known to have signed.</exception>
    public static IServiceCollection AddAuditCheckpoints(this IServiceCollection services) => services
        .AddSingleton(all => AuditKey.LoadOrCreate(all.GetRequiredService<DataFolder>().Path))
        .AddSingleton(all => AuditMemory.Open(all.GetRequiredService<DataFolder>().Path, all.GetRequiredService<ILogger<AuditMemory>>()))
        .AddSingleton<AuditCheckpoints>()
        .AddSingleton<StoredChain>()
        .AddSingleton<ChainExport>();
}
