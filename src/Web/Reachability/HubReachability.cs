using System.Diagnostics.Metrics;
using FailoverHub.Web.Configuration;
using FailoverHub.Web.Reachability.Outages;
using FailoverHub.Web.Reachability.Probing;
using FailoverHub.Web.Reachability.Storage;
using FailoverHub.Web.Reachability.Targets;
using FailoverHub.Web.Reachability.Vantages;

namespace FailoverHub.Web.Reachability;

/// <summary>Puts the prober together.</summary>
internal static class HubReachability
{
    public static IServiceCollection AddHubReachability(this IServiceCollection services)
    {
        services.AddMetrics();
        services.AddSingleton<Answering.AnswerAskerTools>();
        services.AddHostedService<Answering.AnswerAsker>();
        services.AddSingleton<IProbe>(all => all.GetRequiredService<HubOptions>().Probe is { Method: ProbeMethod.Tcp, Port: { } port }
            ? new TcpProbe(port, all.GetRequiredService<TimeProvider>())
            : all.GetRequiredService<IcmpProbe>());
        services.AddSingleton(all => new IcmpProbe(all.GetRequiredService<TimeProvider>()));
        services.AddSingleton<VantageNames>();
        services.AddSingleton<VantageView>();
        services.AddSingleton<ReachabilityView>();
        services.AddSingleton<IReachability>(all => all.GetRequiredService<ReachabilityView>());
        services.AddSingleton<IProbeRecord, ReachabilityEvents>();
        services.AddSingleton(all => new ProberTools(
            all.GetRequiredService<TimeProvider>(), all.GetRequiredService<ILogger<Prober>>(), all.GetRequiredService<IMeterFactory>(), DefaultGateways.Read,
            () => all.GetRequiredService<NamedProbes>().Current) { Echo = all.GetRequiredService<IcmpProbe>(), Links = LinkedNetworks.Read });
        services.AddSingleton<TargetList>();
        services.AddSingleton<NamedProbes>();
        services.AddHostedService(all => all.GetRequiredService<TargetList>());
        services.AddSingleton<IProbedTargets>(all => all.GetRequiredService<ReachabilityView>());

        // Started first and stopped last, so that the last findings are stored too.
        services.AddSingleton<ProbeSampleStore>();
        services.AddHostedService(all => all.GetRequiredService<ProbeSampleStore>());
        services.AddSingleton<IReachabilityHistory, ProbeHistory>();
        services.AddHostedService<Prober>();
        services.AddSingleton<VantageTools>();
        services.AddSingleton<VantageRunner>();
        services.AddHostedService(all => all.GetRequiredService<VantageRunner>());
        services.AddSingleton<OutageStore>();
        services.AddSingleton<IOutages>(all => all.GetRequiredService<OutageStore>());
        services.AddSingleton<OutageMeter>();
        services.AddSingleton<IMoveMeter>(all => all.GetRequiredService<OutageMeter>());
        services.AddSingleton<OutageSources>();
        services.AddHostedService<OutageRecorder>();
        return services;
    }
}
