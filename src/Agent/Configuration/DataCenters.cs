namespace FailoverHub.Agent.Configuration;

/// <summary>One data center of the platform.</summary>
internal sealed record DataCenter(int Id, string Name, string Region, string? Warning = null);

/// <summary>
/// The platform's data centers by the id that stands in their route servers' addresses. The platform's API does not expose the id.
/// An id that is not here still works, with a warning: data centers are added.
/// </summary>
internal static class DataCenters
{
    private static readonly DataCenter[] _all =
    [
        new(2, "Dallas, TX (USA)", "us-central"),
        new(3, "Fremont, CA (USA)", "us-west", "it is undergoing network upgrades, IP sharing may not work there"),
        new(4, "Atlanta, GA (USA)", "us-southeast"),
        new(6, "Newark, NJ (USA)", "us-east"),
        new(7, "London (United Kingdom)", "eu-west"),
        new(9, "Singapore", "ap-south"),
        new(10, "Frankfurt (Germany)", "eu-central"),
        new(11, "Tokyo (Japan)", "ap-northeast"),
        new(14, "Mumbai (India)", "ap-west"),
        new(15, "Toronto (Canada)", "ca-central"),
        new(16, "Sydney (Australia)", "ap-southeast"),
        new(17, "Washington, DC (USA)", "us-iad"),
        new(18, "Chicago, IL (USA)", "us-ord"),
        new(19, "Paris (France)", "fr-par"),
        new(20, "Seattle, WA (USA)", "us-sea"),
        new(21, "São Paulo (Brazil)", "br-gru"),
        new(22, "Amsterdam (Netherlands)", "nl-ams"),
        new(23, "Stockholm (Sweden)", "se-sto"),
        new(24, "Madrid (Spain)", "es-mad"),
        new(25, "Chennai (India)", "in-maa"),
        new(26, "Osaka (Japan)", "jp-osa"),
        new(27, "Milan (Italy)", "it-mil"),
        new(28, "Miami, FL (USA)", "us-mia"),
        new(29, "Jakarta (Indonesia)", "id-cgk"),
        new(30, "Los Angeles, CA (USA)", "us-lax"),
        new(44, "London 2 (United Kingdom)", "gb-lon"),
        new(45, "Melbourne (Australia)", "au-mel"),
        new(46, "Mumbai 2 (India)", "in-bom-2"),
        new(48, "Singapore 2", "sg-sin-2"),
    ];

    public static DataCenter? Find(int id) => _all.FirstOrDefault(dataCenter => dataCenter.Id == id);

    /// <summary>By what the metadata service calls it, such as <c>us-ord</c>.</summary>
    public static DataCenter? FindRegion(string region) => _all.FirstOrDefault(dataCenter => dataCenter.Region == region);
}
