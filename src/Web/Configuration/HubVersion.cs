using System.Reflection;

namespace FailoverHub.Web.Configuration;

/// <summary>The hub's version, as built.</summary>
internal static class HubVersion
{
    public static string Text { get; } =
        typeof(HubVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0";
}
