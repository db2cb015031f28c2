using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace FailoverHub.Web.Data.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Alerts : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "AlertChannels",
                columns: table => new
                {
                    Id = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Name = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    DefinitionJson = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    ClosedSecret = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    Revision = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_AlertChannels", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "AlertDeliveries",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    ChannelId = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    AlertId = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    Notice = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Severity = table.Column<int>(type: "integer", nullable: false),
                    Title = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    MessageJson = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    CreatedAtMs = table.Column<long>(type: "bigint", nullable: false),
                    DueAtMs = table.Column<long>(type: "bigint", nullable: false),
                    State = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Attempts = table.Column<int>(type: "integer", nullable: false),
                    LastAttemptAtMs = table.Column<long>(type: "bigint", nullable: true),
                    LastError = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    DeliveredAtMs = table.Column<long>(type: "bigint", nullable: true),
                    SummaryId = table.Column<long>(type: "bigint", nullable: true),
                    AttemptsJson = table.Column<string>(type: "text", nullable: false, collation: "C")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_AlertDeliveries", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "AlertRules",
                columns: table => new
                {
                    Id = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Name = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    DefinitionJson = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Revision = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_AlertRules", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "AlertShelves",
                columns: table => new
                {
                    RuleId = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Subject = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    AtMs = table.Column<long>(type: "bigint", nullable: false),
                    UntilMs = table.Column<long>(type: "bigint", nullable: false),
                    Actor = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Reason = table.Column<string>(type: "text", nullable: false, collation: "C")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_AlertShelves", x => new { x.RuleId, x.Subject });
                });

            migrationBuilder.CreateTable(
                name: "Alerts",
                columns: table => new
                {
                    Id = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    RuleId = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    RuleName = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Kind = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Subject = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    About = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Severity = table.Column<int>(type: "integer", nullable: false),
                    Pair = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    Node = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    Prefix = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    OperationId = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    Text = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    RaisedAtMs = table.Column<long>(type: "bigint", nullable: false),
                    ResolvedAtMs = table.Column<long>(type: "bigint", nullable: true),
                    ResolvedText = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    AcknowledgedBy = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    AcknowledgedAtMs = table.Column<long>(type: "bigint", nullable: true),
                    AcknowledgedReason = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    QuietBecause = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    ToldTo = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    LastToldAtMs = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Alerts", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "MaintenanceWindows",
                columns: table => new
                {
                    Id = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Scope = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Target = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    FromMs = table.Column<long>(type: "bigint", nullable: false),
                    ToMs = table.Column<long>(type: "bigint", nullable: false),
                    Reason = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Actor = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    CreatedAtMs = table.Column<long>(type: "bigint", nullable: false),
                    EndedAtMs = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_MaintenanceWindows", x => x.Id);
                });

            migrationBuilder.CreateIndex(
                name: "IX_AlertChannels_Name",
                table: "AlertChannels",
                column: "Name",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_AlertDeliveries_AlertId",
                table: "AlertDeliveries",
                column: "AlertId");

            migrationBuilder.CreateIndex(
                name: "IX_AlertDeliveries_ChannelId_Id",
                table: "AlertDeliveries",
                columns: new[] { "ChannelId", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_AlertDeliveries_LastAttemptAtMs",
                table: "AlertDeliveries",
                column: "LastAttemptAtMs");

            migrationBuilder.CreateIndex(
                name: "IX_AlertDeliveries_State_ChannelId",
                table: "AlertDeliveries",
                columns: new[] { "State", "ChannelId" });

            migrationBuilder.CreateIndex(
                name: "IX_AlertDeliveries_SummaryId",
                table: "AlertDeliveries",
                column: "SummaryId");

            migrationBuilder.CreateIndex(
                name: "IX_AlertRules_Name",
                table: "AlertRules",
                column: "Name",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_Alerts_Node_Id",
                table: "Alerts",
                columns: new[] { "Node", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_Alerts_Pair_Id",
                table: "Alerts",
                columns: new[] { "Pair", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_Alerts_ResolvedAtMs",
                table: "Alerts",
                column: "ResolvedAtMs");

            migrationBuilder.CreateIndex(
                name: "IX_Alerts_RuleId_Subject",
                table: "Alerts",
                columns: new[] { "RuleId", "Subject" },
                unique: true,
                filter: "\"ResolvedAtMs\" IS NULL");

            migrationBuilder.CreateIndex(
                name: "IX_MaintenanceWindows_ToMs",
                table: "MaintenanceWindows",
                column: "ToMs");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "AlertChannels");

            migrationBuilder.DropTable(
                name: "AlertDeliveries");

            migrationBuilder.DropTable(
                name: "AlertRules");

            migrationBuilder.DropTable(
                name: "AlertShelves");

            migrationBuilder.DropTable(
                name: "Alerts");

            migrationBuilder.DropTable(
                name: "MaintenanceWindows");
        }
    }
}
